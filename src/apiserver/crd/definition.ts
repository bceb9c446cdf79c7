/** A CustomResourceDefinition as this server reads it, and what it is served as. */
import type { KubeObject } from '../../machinery/object.ts'
import type { SchemaProps } from '../../machinery/schema/index.ts'
import { compareVersions, compileSchema } from '../../machinery/schema/index.ts'
import type { CompiledSchema } from '../../machinery/schema/index.ts'
import type { FieldError } from '../../machinery/field.ts'
import type { ResourceInfo, SubresourceInfo } from '../../machinery/types/table.ts'
import type { Conversion, CustomResource, Seat, ServedResource } from '../contract.ts'
import { drive } from '../registry/steps.ts'
import { scaleErrors } from './scale.ts'

export interface Names {
  plural: string
  singular?: string
  kind: string
  listKind?: string
  shortNames?: string[]
  categories?: string[]
}

export interface Version {
  name: string
  served: boolean
  storage: boolean
  deprecated?: boolean
  deprecationWarning?: string
  schema?: { openAPIV3Schema?: SchemaProps }
  subresources?: {
    status?: object
    scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string }
  }
  additionalPrinterColumns?: {
    name: string
    type: string
    format?: string
    description?: string
    priority?: number
    jsonPath: string
  }[]
  selectableFields?: { jsonPath: string }[]
}

export interface ConversionSpec {
  strategy?: string
  webhook?: {
    conversionReviewVersions?: string[]
    clientConfig?: {
      url?: string
      service?: { namespace: string; name: string; port?: number; path?: string }
      /** Base64 of a PEM bundle. */
      caBundle?: string
    }
  }
}

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  lastTransitionTime?: string
  reason?: string
  message?: string
}

export interface Definition extends KubeObject {
  spec: {
    group: string
    names: Names
    scope: 'Namespaced' | 'Cluster'
    versions: Version[]
    conversion?: ConversionSpec
    preserveUnknownFields?: boolean
  }
  status?: { conditions?: Condition[]; acceptedNames?: Names; storedVersions?: string[] }
}

export const FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

export function conditionOf(definition: Definition, type: string): Condition | undefined {
  return definition.status?.conditions?.find((c) => c.type === type)
}

export const isTrue = (definition: Definition, type: string): boolean =>
  conditionOf(definition, type)?.status === 'True'

/** Where the instances live in the range. */
export const prefixOf = (definition: Definition): string => `${definition.spec.group}/${definition.spec.names.plural}/`

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const WRITES = ['get', 'patch', 'update']
const GROUP_PRIORITY = 1000
const VERSION_PRIORITY = 100
const AGE = [
  {
    name: 'Age',
    type: 'date',
    description: 'Time since the object was created.',
    jsonPath: '.metadata.creationTimestamp',
  },
]

/** Makes the way that objects of a definition convert; undefined when versions differ in apiVersion only. */
export type Converters = (definition: Definition) => Conversion | undefined

/** What a definition is served as. */
export interface Served {
  /** Served versions, preferred first. */
  readonly resources: readonly ServedResource[]
  /** The version that is stored, served or not. */
  readonly storage: ServedResource | undefined
}

/**
 * What a definition is served as. While it is being deleted nothing can be created.
 *
 * @param revision not before the write that made the definition what it is
 */
export function servedResources(definition: Definition, revision: number, converters: Converters): Served {
  const family = new Map<string, CustomVersion>()
  const conversion = definition.spec.versions.length > 1 ? converters(definition) : undefined
  for (const version of definition.spec.versions)
    family.set(version.name, new CustomVersion(definition, version, revision, family, conversion))
  const resource = (version: Version): ServedResource => servedResource(definition, version, family.get(version.name)!)
  const versions = definition.spec.versions.filter((v) => v.served).toSorted((a, b) => compareVersions(b.name, a.name))
  const resources = versions.map(resource)
  const stored = definition.spec.versions.find((v) => v.storage)
  const storage = resources.find((r) => r.info.version === stored?.name)
  return { resources, storage: storage ?? (stored === undefined ? undefined : resource(stored)) }
}

function servedResource(definition: Definition, version: Version, custom: CustomResource): ServedResource {
  const { group, scope } = definition.spec
  const names = definition.status?.acceptedNames ?? definition.spec.names
  const deleting = definition.metadata.deletionTimestamp !== undefined
  const own = { group, version: version.name, kind: names.kind }
  const subresources: SubresourceInfo[] = []
  if (version.subresources?.scale !== undefined)
    subresources.push({ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: WRITES })
  if (version.subresources?.status !== undefined) subresources.push({ name: 'status', ...own, verbs: WRITES })
  const info: ResourceInfo = {
    ...own,
    resource: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    listKind: names.listKind ?? `${names.kind}List`,
    namespaced: scope === 'Namespaced',
    verbs: deleting ? VERBS.filter((v) => v !== 'create') : VERBS,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    subresources,
    groupPriority: GROUP_PRIORITY,
    versionPriority: VERSION_PRIORITY,
  }
  return {
    info,
    prefix: prefixOf(definition),
    custom,
    subresources: new Map(subresources.map((s) => [s.name, s])),
  }
}

const OPEN: SchemaProps = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

/** One version. Its schema is compiled when the first object needs it. */
class CustomVersion implements CustomResource {
  readonly storageVersion: string
  readonly served: readonly string[]
  readonly family: ReadonlyMap<string, CustomResource>
  readonly conversion?: Conversion
  readonly hasStatus: boolean
  readonly scale?: NonNullable<CustomResource['scale']>
  readonly printerColumns: CustomResource['printerColumns']
  readonly selectableFields: readonly string[]
  readonly fingerprint: string
  readonly schema?: object
  readonly deprecationWarning?: string
  readonly #props: SchemaProps
  readonly #since: number
  #compiled: CompiledSchema | undefined
  readonly #definition: Definition
  #edition: string | undefined
  #text: string | undefined

  /** @param since objects that were stored later are as the schema wants them */
  constructor(
    definition: Definition,
    version: Version,
    since: number,
    family: ReadonlyMap<string, CustomResource>,
    conversion: Conversion | undefined,
  ) {
    this.#since = since
    this.family = family
    if (conversion !== undefined) this.conversion = conversion
    const { versions, group, names } = definition.spec
    const { uid = '', generation = 0, deletionTimestamp = '' } = definition.metadata
    const accepted = JSON.stringify(definition.status?.acceptedNames)
    this.#definition = definition
    this.fingerprint = `${uid} ${generation} ${deletionTimestamp} ${version.name} ${accepted}`
    this.storageVersion = versions.find((v) => v.storage)?.name ?? version.name
    this.served = versions.filter((v) => v.served).map((v) => v.name)
    this.hasStatus = version.subresources?.status !== undefined
    const scale = version.subresources?.scale
    if (scale !== undefined) this.scale = scale
    const columns = version.additionalPrinterColumns ?? []
    this.printerColumns = columns.length === 0 ? AGE : columns
    this.selectableFields = (version.selectableFields ?? []).map((f) => f.jsonPath.replace(/^\./, ''))
    const schema = version.schema?.openAPIV3Schema
    if (schema !== undefined) this.schema = schema
    this.#props =
      definition.spec.preserveUnknownFields === true
        ? { ...(schema ?? OPEN), 'x-kubernetes-preserve-unknown-fields': true }
        : (schema ?? OPEN)
    if (version.deprecated === true)
      this.deprecationWarning = version.deprecationWarning ?? `${group}/${version.name} ${names.kind} is deprecated`
  }

  get #schema(): CompiledSchema {
    return (this.#compiled ??= compileSchema(this.#props))
  }

  get edition(): string {
    const { metadata, spec, status } = this.#definition
    return (this.#edition ??= JSON.stringify([metadata.uid, spec, status?.acceptedNames]))
  }

  /** The schema as text, made when versions are compared. */
  get #schemaText(): string {
    return (this.#text ??= JSON.stringify(this.#props))
  }

  sameSchema(other: CustomResource): boolean {
    return other === this || (other instanceof CustomVersion && other.#schemaText === this.#schemaText)
  }

  mayDiffer(revision: number): boolean {
    return revision <= this.#since
  }

  prune(object: KubeObject): void {
    this.#schema.prune(object)
  }

  defaults(object: KubeObject): void {
    this.#schema.defaults(object)
  }

  validate(
    object: KubeObject,
    old?: KubeObject,
    part?: 'status',
    ratcheted?: (error: FieldError) => void,
    seat?: Pick<Seat, 'turn'>,
  ): FieldError[] | Promise<FieldError[]> {
    const { scale } = this
    const more = scale === undefined ? undefined : (value: object) => scaleErrors(value, scale, part)
    return drive(this.#schema.validate(object, { old, part, more, ratcheted }), seat)
  }

  unknownFields(object: KubeObject): string[] {
    return this.#schema.unknownFields(object)
  }
}
