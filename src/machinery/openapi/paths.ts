/** OpenAPI paths: what can be done where, lean: without the prose and the responses' headers. */
import type { ResourceInfo, SubresourceInfo } from '../types/table.ts'
import type { Dialect, Schema } from './schemas.ts'

/** The names of the schemas that a path speaks of. */
export interface SchemaNames {
  readonly object: string | undefined
  readonly list: string | undefined
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const BODIES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
const CUSTOM_BODIES = ['application/json', 'application/yaml']
const PATCHES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
]

function parameter(name: string, type: string, { version }: Dialect, where = 'query'): Schema {
  const must = where === 'path' ? { required: true } : {}
  return version === 3 ? { name, in: where, ...must, schema: { type } } : { name, in: where, ...must, type }
}

const WRITE = [
  ['dryRun', 'string'],
  ['fieldManager', 'string'],
  ['fieldValidation', 'string'],
] as const
const FORCE = [['force', 'boolean']] as const
const LIST = [
  ['allowWatchBookmarks', 'boolean'],
  ['continue', 'string'],
  ['fieldSelector', 'string'],
  ['labelSelector', 'string'],
  ['limit', 'integer'],
  ['resourceVersion', 'string'],
  ['resourceVersionMatch', 'string'],
  ['sendInitialEvents', 'boolean'],
  ['timeoutSeconds', 'integer'],
  ['watch', 'boolean'],
] as const
const DELETE = [
  ['dryRun', 'string'],
  ['gracePeriodSeconds', 'integer'],
  ['orphanDependents', 'boolean'],
  ['propagationPolicy', 'string'],
] as const

interface Kind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

interface Operation {
  readonly action: string
  readonly kind: Kind
  readonly parameters: readonly (readonly [string, string])[]
  /** Name of the schema of the body. */
  readonly body?: string | undefined
  readonly types?: readonly string[]
  /** Name of the schema of the answer. */
  readonly answer?: string | undefined
}

function operation(op: Operation, dialect: Dialect): Schema {
  const { group, version, kind } = op.kind
  const ref = (name: string | undefined): Schema =>
    name === undefined ? { type: 'object' } : { $ref: dialect.prefix + name }
  const parameters = op.parameters.map(([name, type]) => parameter(name, type, dialect))
  const common = { 'x-kubernetes-action': op.action, 'x-kubernetes-group-version-kind': { group, version, kind } }
  const bodied = op.body !== undefined || op.types !== undefined
  if (dialect.version === 2) {
    const body = bodied ? [{ name: 'body', in: 'body', schema: ref(op.body) }] : []
    return {
      ...(op.types === undefined ? {} : { consumes: op.types }),
      parameters: [...body, ...parameters],
      responses: { 200: { description: 'OK', schema: ref(op.answer) } },
      ...common,
    }
  }
  const content = (op.types ?? BODIES).map((type) => [type, { schema: ref(op.body) }])
  return {
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(bodied ? { requestBody: { content: Object.fromEntries(content) as Schema } } : {}),
    responses: { 200: { description: 'OK', content: { 'application/json': { schema: ref(op.answer) } } } },
    ...common,
  }
}

function item(methods: Record<string, Operation>, inPath: readonly string[], dialect: Dialect): Schema {
  const out: Schema = {}
  for (const [method, op] of Object.entries(methods)) out[method] = operation(op, dialect)
  if (inPath.length > 0) out['parameters'] = inPath.map((name) => parameter(name, 'string', dialect, 'path'))
  return out
}

/** Adds the paths of one resource. */
export function addPaths(
  paths: Record<string, Schema>,
  info: ResourceInfo,
  names: SchemaNames,
  subresourceSchema: (subresource: SubresourceInfo) => string | undefined,
  dialect: Dialect,
): void {
  const root = info.group === '' ? `/api/${info.version}` : `/apis/${info.group}/${info.version}`
  const base = info.namespaced ? `${root}/namespaces/{namespace}/${info.resource}` : `${root}/${info.resource}`
  const scope = info.namespaced ? ['namespace'] : []
  const has = (verb: string) => info.verbs.includes(verb)
  const custom = info.type === undefined
  const types = custom ? CUSTOM_BODIES : BODIES
  const patches = custom ? PATCHES.filter((type) => !type.includes('strategic')) : PATCHES
  const kind = info
  const { object, list } = names

  const collection: Record<string, Operation> = {}
  if (has('list')) collection['get'] = { action: 'list', kind, parameters: LIST, answer: list }
  if (has('create'))
    collection['post'] = { action: 'post', kind, parameters: WRITE, body: object, types, answer: object }
  if (has('deletecollection'))
    collection['delete'] = {
      action: 'deletecollection',
      kind,
      parameters: [...DELETE, ...LIST],
      answer: `${META}Status`,
    }
  paths[base] = item(collection, scope, dialect)
  if (info.namespaced && has('list')) {
    paths[`${root}/${info.resource}`] = item(
      { get: { action: 'list', kind, parameters: LIST, answer: list } },
      [],
      dialect,
    )
  }

  const single: Record<string, Operation> = {}
  if (has('get')) single['get'] = { action: 'get', kind, parameters: [], answer: object }
  if (has('update')) single['put'] = { action: 'put', kind, parameters: WRITE, body: object, types, answer: object }
  if (has('patch'))
    single['patch'] = {
      action: 'patch',
      kind,
      parameters: [...WRITE, ...FORCE],
      types: patches,
      body: `${META}Patch`,
      answer: object,
    }
  if (has('delete'))
    single['delete'] = {
      action: 'delete',
      kind,
      parameters: DELETE,
      body: `${META}DeleteOptions`,
      types,
      answer: `${META}Status`,
    }
  if (Object.keys(single).length > 0) paths[`${base}/{name}`] = item(single, [...scope, 'name'], dialect)

  for (const subresource of info.subresources) {
    const schema = subresourceSchema(subresource)
    const methods: Record<string, Operation> = {}
    for (const verb of subresource.verbs) {
      const op = subresourceOperation(verb, subresource, schema, patches)
      if (op !== undefined) methods[op[0]] = op[1]
    }
    paths[`${base}/{name}/${subresource.name}`] = item(methods, [...scope, 'name'], dialect)
  }
}

const CONNECTED = new Set(['attach', 'exec', 'portforward', 'proxy'])

function subresourceOperation(
  verb: string,
  subresource: SubresourceInfo,
  schema: string | undefined,
  patches: readonly string[],
): [string, Operation] | undefined {
  const connect = CONNECTED.has(subresource.name)
  const method = { get: 'get', create: 'post', update: 'put', patch: 'patch', delete: 'delete' }[verb]
  if (method === undefined) return undefined
  const action = connect ? 'connect' : method
  const common = { action, kind: subresource }
  if (connect || verb === 'get') return [method, { ...common, parameters: [], answer: connect ? undefined : schema }]
  if (verb === 'patch')
    return [
      method,
      { ...common, parameters: [...WRITE, ...FORCE], types: patches, body: `${META}Patch`, answer: schema },
    ]
  if (verb === 'delete') return [method, { ...common, parameters: DELETE, answer: schema }]
  return [method, { ...common, parameters: WRITE, body: schema, types: BODIES, answer: schema }]
}
