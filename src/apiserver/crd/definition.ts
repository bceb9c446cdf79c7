/** A CustomResourceDefinition as this server reads it, and what it is served as. */
import type { KubeObject } from '../../machinery/object.ts'
import type { SchemaProps } from '../../machinery/schema/index.ts'
import { compareVersions, compileSchema } from '../../machinery/schema/index.ts'
import type { CompiledSchema } from '../../machinery/schema/index.ts'
import type { FieldError } from '../../machinery/field.ts'
import type { ResourceInfo, SubresourceInfo } from '../../machinery/types/table.ts'
import type { CustomResource, ServedResource } from '../contract.ts'

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
    conversion?: { strategy?: string }
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

/**
 * The served versions of a definition, preferred first. While it is being deleted nothing can be created.
 *
 * @param revision not before the write that made the definition what it is
 */
export function servedResources(definition: Definition, revision: number): ServedResource[] {
  const versions = definition.spec.versions.filter((v) => v.served).toSorted((a, b) => compareVersions(b.name, a.name))
  const schemas = definition.spec.versions.map((version) => JSON.stringify(version.schema))
  const since = schemas.every((schema) => schema === schemas[0]) ? revision : Infinity
  return versions.map((version) => servedResource(definition, version, since))
}

function servedResource(definition: Definition, version: Version, since: number): ServedResource {
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
    custom: new CustomVersion(definition, version, since),
    subresources: new Map(subresources.map((s) => [s.name, s])),
  }
}

const OPEN: SchemaProps = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

/** One version. Its schema is compiled when the first object needs it. */
class CustomVersion implements CustomResource {
  readonly storageVersion: string
  readonly served: readonly string[]
  readonly hasStatus: boolean
  readonly scale?: NonNullable<CustomResource['scale']>
  readonly printerColumns: CustomResource['printerColumns']
  readonly selectableFields: readonly string[]
  readonly schema?: object
  readonly deprecationWarning?: string
  readonly #props: SchemaProps
  readonly #since: number
  #compiled: CompiledSchema | undefined

  /** @param since objects that were stored later are as the schema wants them */
  constructor(definition: Definition, version: Version, since: number) {
    this.#since = since
    const { versions, group, names } = definition.spec
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

  mayDiffer(revision: number): boolean {
    return revision <= this.#since
  }

  prune(object: KubeObject): void {
    this.#schema.prune(object)
  }

  defaults(object: KubeObject): void {
    this.#schema.defaults(object)
  }

  validate(object: KubeObject, old?: KubeObject): FieldError[] {
    return this.#schema.validate(object, old)
  }

  unknownFields(object: KubeObject): string[] {
    return this.#schema.unknownFields(object)
  }
}
