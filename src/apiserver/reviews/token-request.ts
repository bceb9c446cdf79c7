/** TokenRequest: a token for a service account, bound to an object if asked. */
import * as field from '../../machinery/field.ts'
import type { FieldError } from '../../machinery/field.ts'
import { parseApiVersion, type KubeObject, type ObjectMeta } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import type { AuditSink } from '../contract.ts'
import type { ServiceAccountTokens } from '../authn/tokens.ts'

const GROUP = 'authentication.k8s.io'
const MIN_SECONDS = 600
const DEFAULT_SECONDS = 3600
const MAX_SECONDS = 2 ** 32
/** What the kubelet asks for pods that know no expiry: such tokens live on for a year, and are stale after an hour. */
const EXTENDED_FROM = 3607
const EXTENDED_TO = 365 * 24 * 3600

export interface TokenRequestContext {
  /** Of the URL. */
  readonly namespace: string
  /** Of the service account in the URL. */
  readonly name: string
  readonly tokens: ServiceAccountTokens
  /** Milliseconds since the epoch. */
  readonly now: number
  /** A fresh UUID. */
  readonly uuid: string
  /** Longest life that is given, in seconds; what asks for more gets this. @default no limit */
  readonly maxSeconds?: number
  /** Takes texts for Warning headers. */
  readonly warnings?: string[]
  /** @default nothing is noted */
  readonly audit?: Pick<AuditSink, 'annotate'>
}

interface ObjectRef {
  readonly kind?: string
  readonly apiVersion?: string
  readonly name?: string
  readonly uid?: string
}

interface Spec {
  readonly audiences?: readonly string[]
  readonly expirationSeconds?: number
  readonly boundObjectRef?: ObjectRef | null
  readonly attestations?: object
}

type Ref = { name: string; uid?: string }

interface Bound {
  readonly pod?: Ref
  readonly secret?: Ref
  readonly node?: Ref
}

/**
 * The request with its status.
 *
 * @throws StatusError 400, 404, 409, 422
 */
export function requestToken(object: KubeObject, context: TokenRequestContext): KubeObject {
  const { namespace, name, tokens, now } = context
  const spec = (object['spec'] ?? {}) as Spec
  mustMatch('name', object.metadata.name, name, name)
  mustMatch('namespace', object.metadata.namespace, namespace, name)
  const account = tokens.objects.serviceAccount(namespace, name)
  if (account === undefined) throw errors.notFound({ group: '', resource: 'serviceaccounts' }, name)
  const uid = account.uid ?? ''
  if ((object.metadata.uid ?? '') !== '' && object.metadata.uid !== uid) {
    const why = `the UID in the token request (${object.metadata.uid}) does not match the UID of the service account (${uid})`
    throw errors.conflict({ group: GROUP, resource: 'TokenRequest' }, name, why)
  }
  const audiences = (spec.audiences ?? []).length > 0 ? spec.audiences! : tokens.audiences
  const asked = spec.expirationSeconds ?? DEFAULT_SECONDS
  const problems = specProblems(asked, spec.attestations)
  if (problems.length > 0) throw errors.invalid({ group: GROUP, kind: 'TokenRequest' }, '', problems)

  const bound = spec.boundObjectRef ? lookUp(spec.boundObjectRef, context) : {}
  const seconds = shortened(asked, context)
  const extended =
    bound.pod !== undefined && seconds === EXTENDED_FROM && audiences.every((one) => tokens.audiences.includes(one))
  const token = tokens.issue({
    audiences,
    account: { namespace, name, uid },
    ...bound,
    lifetime: extended ? EXTENDED_TO : seconds,
    ...(extended && { warnAfter: seconds }),
    id: context.uuid,
  })
  context.audit?.annotate('authentication.kubernetes.io/issued-credential-id', `JTI=${context.uuid}`)
  return {
    kind: 'TokenRequest',
    apiVersion: `${GROUP}/v1`,
    metadata: { ...object.metadata, name, namespace, uid, creationTimestamp: rfc3339(now) },
    spec: { audiences, expirationSeconds: seconds, boundObjectRef: spec.boundObjectRef ?? null },
    status: { token, expirationTimestamp: rfc3339(now + seconds * 1000) },
  }
}

function mustMatch(what: 'name' | 'namespace', given: string | undefined, wanted: string, name: string): void {
  if (given === undefined || given === '' || given === wanted) return
  const problem = field.invalid(`metadata.${what}`, given, `must match the service account ${what} if specified`)
  throw errors.invalid({ group: GROUP, kind: 'TokenRequest' }, name, [problem])
}

function specProblems(seconds: number, attestations: object | undefined): FieldError[] {
  const path = 'spec.expirationSeconds'
  const problems: FieldError[] = []
  if (seconds < MIN_SECONDS)
    problems.push(field.invalid(path, seconds, 'may not specify a duration less than 10 minutes'))
  if (seconds > MAX_SECONDS)
    problems.push(field.invalid(path, seconds, 'may not specify a duration larger than 2^32 seconds'))
  if (attestations === undefined || Object.keys(attestations).length === 0) return problems
  const why = 'attestations may only be specified with a webhook bound object reference'
  return [field.invalid('spec.attestations', attestations, why)]
}

function shortened(seconds: number, context: TokenRequestContext): number {
  const { maxSeconds: max, warnings } = context
  if (max === undefined || seconds <= max) return seconds
  warnings?.push(`requested expiration of ${seconds} seconds shortened to ${max} seconds`)
  return max
}

function lookUp(ref: ObjectRef, { namespace, name, tokens }: TokenRequestContext): Bound {
  const { kind = '', apiVersion = '', name: wanted = '' } = ref
  const group = parseApiVersion(apiVersion)?.group ?? ''
  if (group !== '' || !['Pod', 'Secret', 'Node'].includes(kind)) {
    const type = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`
    throw errors.badRequest(`cannot bind token to object of type ${type}, Kind=${kind}`)
  }
  if (wanted === '') throw errors.badRequest('Name parameter required.')
  const { objects } = tokens
  if (kind === 'Secret') return { secret: found(ref, 'secrets', objects.secret(namespace, wanted)) }
  if (kind === 'Node') return { node: found(ref, 'nodes', objects.node(wanted)) }
  const pod = objects.pod(namespace, wanted)
  if (pod !== undefined && pod.serviceAccountName !== name) {
    const account = JSON.stringify(name)
    throw errors.badRequest(
      `cannot bind token for serviceaccount ${account} to pod running with different serviceaccount name.`,
    )
  }
  const bound = { pod: found(ref, 'pods', pod?.metadata) }
  if (pod === undefined || pod.nodeName === '') return bound
  const uid = objects.node(pod.nodeName)?.uid
  return { ...bound, node: { name: pod.nodeName, ...(uid !== undefined && { uid }) } }
}

function found(ref: ObjectRef, resource: string, meta: ObjectMeta | undefined): Ref {
  const name = ref.name!
  if (meta === undefined) throw errors.notFound({ group: '', resource }, name)
  if (ref.uid !== undefined && ref.uid !== '' && ref.uid !== meta.uid) {
    const why = `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`
    throw errors.conflict({ group: '', resource: ref.kind! }, name, why)
  }
  return { name, uid: meta.uid ?? '' }
}

/** RFC 3339 in UTC with seconds. */
function rfc3339(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
}
