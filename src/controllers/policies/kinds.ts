/** Types of the kinds that policies name: built-in ones from the type table, custom ones from their definitions. */
import type { Client, Resource } from '../../client/contract.ts'
import type { CelType } from '../../machinery/cel/contract.ts'
import { typeOfBuiltin } from '../../machinery/cel/builtin-type.ts'
import { typeOfSchema } from '../../machinery/cel/schema-type.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { SchemaProps } from '../../machinery/schema/index.ts'
import { typeTable } from '../../machinery/types/index.ts'
import type { KnownKind, ResourceVersion } from './type-check.ts'

const DEFINITIONS: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
}

interface Definition extends KubeObject {
  readonly spec: {
    readonly group: string
    readonly names: { readonly plural: string; readonly singular?: string; readonly kind: string }
    readonly versions: readonly {
      readonly name: string
      readonly served: boolean
      readonly schema?: { readonly openAPIV3Schema?: SchemaProps }
    }[]
  }
}

export class Kinds {
  readonly #client: Client
  #definitions: readonly Definition[] = []

  constructor(client: Client) {
    this.#client = client
  }

  /** Reads the definitions of the groups that the table does not know. Those of the table cost nothing. */
  async load(groups: Iterable<string>): Promise<void> {
    const foreign = [...groups].some((group) => !typeTable.resources.some((one) => one.group === group))
    if (!foreign) return
    this.#definitions = (await this.#client.list<Definition>(DEFINITIONS)).items
  }

  /** A resource without a group may be one of any group, as upstream's mapper has it. */
  ofResource({ group, version, resource }: ResourceVersion): readonly KnownKind[] {
    const name = resource.toLowerCase()
    const builtin = typeTable.resources.filter(
      (one) =>
        (group === '' || one.group === group) &&
        one.version === version &&
        (one.resource === name || one.singular === name),
    )
    const custom = this.#definitions.filter(
      ({ spec }) =>
        (group === '' || spec.group === group) && (spec.names.plural === name || spec.names.singular === name),
    )
    return [
      ...builtin.flatMap((one) =>
        one.type === undefined
          ? []
          : [{ group: one.group, version, kind: one.kind, type: typeOfBuiltin(typeTable, one.type) }],
      ),
      ...custom.flatMap((definition) => {
        const type = schemaType(definition, version)
        return type === undefined
          ? []
          : [{ group: definition.spec.group, version, kind: definition.spec.names.kind, type }]
      }),
    ]
  }

  ofKind(group: string, version: string, kind: string): CelType | undefined {
    const builtin = typeTable.kind(group, version, kind)
    if (builtin !== undefined) return typeOfBuiltin(typeTable, builtin.name)
    const definition = this.#definitions.find(({ spec }) => spec.group === group && spec.names.kind === kind)
    return definition === undefined ? undefined : schemaType(definition, version)
  }
}

function schemaType({ spec }: Definition, version: string): CelType | undefined {
  const schema = spec.versions.find(({ name, served }) => served && name === version)?.schema?.openAPIV3Schema
  const type = schema === undefined ? undefined : typeOfSchema(schema, true)
  return type?.kind === 'object' ? withMetadata(type) : type
}

/** Rules of schemas see little of the metadata; what is published of a custom resource has all of it. */
function withMetadata(type: CelType & { readonly kind: 'object' }): CelType {
  const metadata = typeOfBuiltin(typeTable, 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')
  return { kind: 'object', name: type.name, field: (name) => (name === 'metadata' ? metadata : type.field(name)) }
}
