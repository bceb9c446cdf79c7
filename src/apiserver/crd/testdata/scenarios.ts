/** Runs what scenarios.yaml tells against a server, and keeps what is comparable of its answers. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { DEFINITIONS, merge } from './requests.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- manifests of any shape
type Any = any

export interface Answered {
  readonly code: number
  readonly warnings: readonly string[]
  readonly answer: Any
}

/** One server. */
export interface Asked {
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answered>
  /** Resolves when the server has taken notice of the last change of a definition. */
  settled(definition: string, path: string): Promise<void>
}

export interface Scenario {
  readonly name: string
  readonly steps?: readonly Any[]
  readonly [field: string]: Any
}

/** What is compared of one step. */
export interface Outcome {
  readonly step: string
  readonly code: number
  readonly warnings?: readonly string[]
  readonly message?: string
  readonly causes?: Any
  readonly shown?: Any
}

const GROUP = 'scenarios.example.com'
const APPLY = { 'content-type': 'application/apply-patch+yaml' }
const MERGE = { 'content-type': 'application/merge-patch+json' }
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }

export function scenarios(): Scenario[] {
  return load(readFileSync(join(import.meta.dirname, 'scenarios.yaml'), 'utf8')) as Scenario[]
}

function definitionOf(scenario: Scenario, plural: string): Any {
  const { spec, root, versions, selectableFields, columns, subresources } = scenario
  const own = [
    {
      name: 'v1',
      served: true,
      storage: true,
      subresources: subresources ?? { status: {} },
      schema: { openAPIV3Schema: merge({ type: 'object', properties: { spec } }, root ?? {}) },
      ...(selectableFields === undefined ? {} : { selectableFields }),
      ...(columns === undefined ? {} : { additionalPrinterColumns: columns }),
    },
  ]
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: { group: GROUP, scope: 'Namespaced', names: { plural, kind: `Kind${plural}` }, versions: versions ?? own },
  }
}

/** Names that differ from scenario to scenario are the same in what is compared. */
function comparable(step: string, { code, warnings, answer }: Answered, plural: string): Outcome {
  const text = (value: unknown): Any =>
    JSON.parse(
      JSON.stringify(value ?? null)
        .replaceAll(plural, 'things')
        // A name that upstream makes up anew each time.
        .replaceAll(/selfType\d+/g, 'selfType'),
    ) as unknown
  const base = { step, code, ...(warnings.length === 0 ? {} : { warnings: text(warnings) as string[] }) }
  if (answer?.kind === 'Status') {
    return { ...base, message: text(answer.message) as string, causes: text(answer.details?.causes) }
  }
  if (answer?.kind === 'Table') {
    return {
      ...base,
      shown: {
        columns: answer.columnDefinitions.map((c: Any) => [c.name, c.type, c.format, c.priority]),
        rows: answer.rows.map((r: Any) => r.cells),
      },
    }
  }
  if (answer?.items !== undefined) return { ...base, shown: answer.items.map((i: Any) => i.metadata.name) }
  if (answer?.kind === 'CustomResourceDefinition') return { ...base, shown: text(answer.status?.storedVersions) }
  if (typeof answer !== 'object') return { ...base, shown: answer }
  const { metadata, apiVersion, ...rest } = answer
  const { generation, labels, finalizers } = metadata
  const managers = (metadata.managedFields ?? []).map(({ time: _time, ...entry }: Any) => entry)
  const managedFields = step.startsWith('apply') ? managers : undefined
  return { ...base, shown: text({ apiVersion, generation, labels, finalizers, managedFields, ...rest }) }
}

export async function runScenario(server: Asked, scenario: Scenario, number: number): Promise<Outcome[]> {
  const plural = `things${String(number).padStart(3, '0')}s`
  const body = definitionOf(scenario, plural)
  const at = `${DEFINITIONS}/${body.metadata.name}`
  const objects = (version = 'v1') => `/apis/${GROUP}/${version}/namespaces/default/${plural}`
  const out: Outcome[] = []
  const made = await server.ask('POST', DEFINITIONS, body)
  out.push(comparable('definition', made, plural))
  if (made.code !== 201) return out
  await server.settled(at, objects())
  const redefine = async (change: (definition: Any) => Any): Promise<Answered> => {
    const { answer } = await server.ask('GET', at)
    const answered = await server.ask('PUT', at, change(answer))
    if (answered.code === 200) await server.settled(at, objects())
    return answered
  }
  const object = (content: Any, version = 'v1'): Any =>
    merge({ apiVersion: `${GROUP}/${version}`, kind: `Kind${plural}`, metadata: { name: 'a' } }, content)
  const update = async (version: string, content: Any): Promise<Answered> => {
    const { answer } = await server.ask('GET', `${objects(version)}/a`)
    const { spec: _spec, ...rest } = answer
    return server.ask('PUT', `${objects(version)}/a`, { ...rest, ...content })
  }
  const apply = (manager: string, body: Any, force = false, version = 'v1'): Promise<Answered> =>
    server.ask('PATCH', `${objects(version)}/a?fieldManager=${manager}&force=${force}`, body, APPLY)
  const verbs: Readonly<Record<string, (value: Any) => Promise<Answered>>> = {
    create: (spec) => server.ask('POST', objects(), object({ spec })),
    object: (content) => server.ask('POST', objects(), object(content)),
    update: (spec) => update('v1', { spec }),
    updateV2: (spec) => update('v2', { spec }),
    merge: (patch) => server.ask('PATCH', `${objects()}/a`, patch, MERGE),
    status: (status) => server.ask('PATCH', `${objects()}/a/status`, { status }, MERGE),
    scale: (patch) => server.ask('PATCH', `${objects()}/a/scale`, patch, MERGE),
    getScale: () => server.ask('GET', `${objects()}/a/scale`),
    getV1: () => server.ask('GET', `${objects()}/a`),
    getV2: () => server.ask('GET', `${objects('v2')}/a`),
    apply: (spec) => apply('one', object({ spec })),
    applyTwo: (spec) => apply('two', object({ spec })),
    applyForced: (spec) => apply('two', object({ spec }), true),
    applyV2: (spec) => apply('one', object({ spec }, 'v2'), false, 'v2'),
    list: (selector) => server.ask('GET', `${objects()}?fieldSelector=${encodeURIComponent(selector)}`),
    table: () => server.ask('GET', objects(), undefined, TABLE),
    define: (spec) =>
      redefine((definition) => {
        definition.spec.versions[0].schema.openAPIV3Schema.properties.spec = spec
        return definition
      }),
    redefine: ({ schema, columns, patch }) =>
      redefine((definition) => {
        const [version] = definition.spec.versions
        if (schema !== undefined) version.schema.openAPIV3Schema = merge(version.schema.openAPIV3Schema, schema)
        if (columns !== undefined) version.additionalPrinterColumns = columns
        return patch === undefined ? definition : merge(definition, patch)
      }),
  }
  for (const step of scenario.steps ?? []) {
    const [verb, value] = Object.entries(step)[0]!
    out.push(comparable(verb, await verbs[verb]!(value), plural))
  }
  return out
}
