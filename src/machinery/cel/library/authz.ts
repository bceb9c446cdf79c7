/** What rules ask about permissions: `authorizer.group('').resource('pods').check('get').allowed()`. */
import { isDns1123Label, isDns1123Subdomain } from '../../names.ts'
import type { CelAuthorizer } from '../contract.ts'
import type { Overload } from '../overload.ts'
import { overload } from '../overload.ts'
import { Failure, Opaque } from '../values.ts'

type Asked = Parameters<CelAuthorizer['authorize']>[0]
type User = NonNullable<Asked['user']>

/** The variable `authorizer`. */
export class AuthorizerValue extends Opaque {
  readonly type = 'kubernetes.authorization.Authorizer'
  readonly authorizer: CelAuthorizer
  readonly user: User | undefined
  constructor(authorizer: CelAuthorizer, user?: User) {
    super()
    this.authorizer = authorizer
    this.user = user
  }
}

class PathCheck extends Opaque {
  readonly type = 'kubernetes.authorization.PathCheck'
  readonly owner: AuthorizerValue
  readonly path: string
  constructor(owner: AuthorizerValue, path: string) {
    super()
    this.owner = owner
    this.path = path
  }
}

class GroupCheck extends Opaque {
  readonly type = 'kubernetes.authorization.GroupCheck'
  readonly owner: AuthorizerValue
  readonly group: string
  constructor(owner: AuthorizerValue, group: string) {
    super()
    this.owner = owner
    this.group = group
  }
}

export interface CheckedResource {
  readonly group: string
  readonly resource: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  readonly fieldSelector?: string
  readonly labelSelector?: string
}

class ResourceCheck extends Opaque {
  readonly type = 'kubernetes.authorization.ResourceCheck'
  readonly owner: AuthorizerValue
  readonly asked: CheckedResource
  constructor(owner: AuthorizerValue, asked: CheckedResource) {
    super()
    this.owner = owner
    this.asked = asked
  }
  with(more: Partial<CheckedResource>): ResourceCheck {
    return new ResourceCheck(this.owner, { ...this.asked, ...more })
  }
}

class Decision extends Opaque {
  readonly type = 'kubernetes.authorization.Decision'
  readonly made: ReturnType<CelAuthorizer['authorize']>
  constructor(made: ReturnType<CelAuthorizer['authorize']>) {
    super()
    this.made = made
  }
}

/** The variable `authorizer.requestResource`: a check of the resource that a request is about. */
export function requestResource(authorizer: CelAuthorizer, resource: CheckedResource): unknown {
  return new ResourceCheck(new AuthorizerValue(authorizer), resource)
}

function ask({ authorizer, user }: AuthorizerValue, asked: Omit<Asked, 'user'>): Decision {
  return new Decision(authorizer.authorize(user === undefined ? asked : { ...asked, user }))
}

function serviceAccount(owner: AuthorizerValue, namespace: string, name: string): unknown {
  if (isDns1123Subdomain(name).length > 0) return new Failure('Invalid service account name')
  if (isDns1123Label(namespace).length > 0) return new Failure('Invalid service account namespace')
  return new AuthorizerValue(owner.authorizer, { namespace, serviceAccount: name })
}

const PREFIX = 'kubernetes.authorization'
const [AUTHORIZER, PATH, GROUP, RESOURCE, DECISION] = [
  'Authorizer',
  'PathCheck',
  'GroupCheck',
  'ResourceCheck',
  'Decision',
].map((name) => `${PREFIX}.${name}`)

function refine(name: string, id: string, change: (text: string) => Partial<CheckedResource>): Overload {
  return overload(name, id, `${RESOURCE}.(string): ${RESOURCE}`, (_, check: ResourceCheck, text: string) =>
    check.with(change(text)),
  )
}

export const AUTHZ: readonly Overload[] = [
  overload('path', 'authorizer_path', `${AUTHORIZER}.(string): ${PATH}`, (_, owner: AuthorizerValue, path: string) =>
    path.trim() === '' ? new Failure('path must not be empty') : new PathCheck(owner, path),
  ),
  overload(
    'group',
    'authorizer_group',
    `${AUTHORIZER}.(string): ${GROUP}`,
    (_, owner: AuthorizerValue, group: string) => new GroupCheck(owner, group),
  ),
  overload(
    'serviceAccount',
    'authorizer_serviceaccount',
    `${AUTHORIZER}.(string, string): ${AUTHORIZER}`,
    (_, owner: AuthorizerValue, namespace: string, name: string) => serviceAccount(owner, namespace, name),
  ),
  overload(
    'resource',
    'groupcheck_resource',
    `${GROUP}.(string): ${RESOURCE}`,
    (_, check: GroupCheck, resource: string) =>
      resource.trim() === ''
        ? new Failure('resource must not be empty')
        : new ResourceCheck(check.owner, { group: check.group, resource }),
  ),
  refine('subresource', 'resourcecheck_subresource', (subresource) => ({ subresource })),
  refine('namespace', 'resourcecheck_namespace', (namespace) => ({ namespace })),
  refine('name', 'resourcecheck_name', (name) => ({ name })),
  refine('fieldSelector', 'authorizer_fieldselector', (fieldSelector) => ({ fieldSelector })),
  refine('labelSelector', 'authorizer_labelselector', (labelSelector) => ({ labelSelector })),
  overload('check', 'pathcheck_check', `${PATH}.(string): ${DECISION}`, (_, check: PathCheck, verb: string) =>
    ask(check.owner, { verb, path: check.path }),
  ),
  overload(
    'check',
    'resourcecheck_check',
    `${RESOURCE}.(string): ${DECISION}`,
    (_, check: ResourceCheck, verb: string) => ask(check.owner, { verb, ...check.asked }),
  ),
  overload('errored', 'decision_errored', `${DECISION}.(): bool`, (_, { made }: Decision) => made.error !== undefined),
  overload('error', 'decision_error', `${DECISION}.(): string`, (_, { made }: Decision) => made.error ?? ''),
  overload('allowed', 'decision_allowed', `${DECISION}.(): bool`, (_, { made }: Decision) => made.allowed),
  overload('reason', 'decision_reason', `${DECISION}.(): string`, (_, { made }: Decision) => made.reason),
]
