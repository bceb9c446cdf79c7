/** Whole OpenAPI documents: one per group version (version 3), or one of everything (version 2). Pure. */
import type { GroupVersionKind } from '../object.ts'
import type { SchemaProps } from '../schema/index.ts'
import type { ResourceInfo, SubresourceInfo, TypeTable } from '../types/table.ts'
import { customListSchema, customSchema, definitionName } from './custom.ts'
import { addPaths } from './paths.ts'
import type { Dialect, Schema } from './schemas.ts'
import { V2, V3, schemasOf } from './schemas.ts'

/** A resource to publish; `schema` for custom resources. */
export interface Published {
  readonly info: ResourceInfo
  readonly schema?: SchemaProps
  /** `spec.color`: fields that lists can be selected by. */
  readonly selectable?: readonly string[]
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const VERSION = { title: 'Kubernetes', version: 'unversioned' }

interface Parts {
  readonly schemas: Record<string, Schema>
  readonly paths: Record<string, Schema>
}

/** Of built-in resources. */
function parts(table: TypeTable, resources: readonly Published[], dialect: Dialect): Parts {
  const kinds = new Map<string, GroupVersionKind[]>()
  const add = (type: string | undefined, gvk: GroupVersionKind) => {
    if (type === undefined) return
    const list = kinds.get(type)
    if (list === undefined) kinds.set(type, [gvk])
    else if (!list.some((k) => k.group === gvk.group && k.version === gvk.version && k.kind === gvk.kind))
      list.push(gvk)
  }
  const typeName = (gvk: GroupVersionKind) => table.kind(gvk.group, gvk.version, gvk.kind)?.name
  const of = ({ group, version, kind }: GroupVersionKind): GroupVersionKind => ({ group, version, kind })
  const subresource = (s: SubresourceInfo) => {
    const name = typeName(s)
    add(name, of(s))
    return name
  }
  const paths: Record<string, Schema> = {}
  add(`${META}DeleteOptions`, { group: '', version: 'v1', kind: 'DeleteOptions' })
  add(`${META}Status`, { group: '', version: 'v1', kind: 'Status' })
  for (const { info } of resources) {
    const gvk = of(info)
    add(`${META}DeleteOptions`, { group: info.group, version: info.version, kind: 'DeleteOptions' })
    const list = info.verbs.includes('list') ? typeName({ ...gvk, kind: info.listKind }) : undefined
    add(info.type, gvk)
    add(list, { ...gvk, kind: info.listKind })
    addPaths(paths, info, { object: info.type, list }, subresource, dialect)
  }
  const schemas = { ...schemasOf(table, kinds, dialect), [`${META}Patch`]: { type: 'object' } }
  return { schemas, paths }
}

/** What custom resources of one server publish, resource by resource: there may be thousands of large ones. */
export interface CustomParts {
  /** Built-in types that they refer to. */
  readonly common: Readonly<Record<string, Schema>>
  /** Names of the definitions of a resource. */
  names(info: ResourceInfo): readonly string[]
  schemas(resource: Published): Record<string, Schema>
  paths(resource: Published): Record<string, Schema>
}

/** The parts of custom resources, in a version of OpenAPI. */
export function customParts(table: TypeTable, resources: readonly Published[], version: 2 | 3): CustomParts {
  const dialect = version === 2 ? V2 : V3
  const kinds = new Map<string, GroupVersionKind[]>([
    [`${META}DeleteOptions`, [{ group: '', version: 'v1', kind: 'DeleteOptions' }]],
    [`${META}Status`, [{ group: '', version: 'v1', kind: 'Status' }]],
    [`${META}ObjectMeta`, []],
    [`${META}ListMeta`, []],
  ])
  const seen = new Set<string>()
  for (const { info } of resources) {
    const { group } = info
    if (!seen.has(`${group}/${info.version}`)) {
      seen.add(`${group}/${info.version}`)
      kinds.get(`${META}DeleteOptions`)!.push({ group, version: info.version, kind: 'DeleteOptions' })
    }
    for (const { group: g, version: v, kind } of info.subresources) {
      const type = kind === info.kind ? undefined : table.kind(g, v, kind)?.name
      if (type !== undefined && !kinds.has(type)) kinds.set(type, [{ group: g, version: v, kind }])
    }
  }
  const kindOf = ({ group, version: v, kind }: ResourceInfo): GroupVersionKind => ({ group, version: v, kind })
  const names = (info: ResourceInfo): [string, string] => {
    const gvk = kindOf(info)
    return [definitionName(gvk), definitionName({ ...gvk, kind: info.listKind })]
  }
  return {
    common: { ...schemasOf(table, kinds, dialect), [`${META}Patch`]: { type: 'object' } },
    names,
    schemas({ info, schema, selectable = [] }) {
      const [name, list] = names(info)
      const gvk = kindOf(info)
      const fields = selectable.map((fieldPath) => ({ fieldPath }))
      const more = fields.length === 0 ? {} : { 'x-kubernetes-selectable-fields': fields }
      return {
        [name]: { ...customSchema(schema, gvk, dialect), ...more },
        [list]: { ...customListSchema(info.listKind, gvk, dialect), ...more },
      }
    },
    paths({ info }) {
      const [object, list] = names(info)
      const paths: Record<string, Schema> = {}
      const type = (s: SubresourceInfo): string | undefined =>
        s.kind === info.kind ? object : table.kind(s.group, s.version, s.kind)?.name
      addPaths(paths, info, { object, list }, type, dialect)
      return paths
    },
  }
}

/** The document of one group version, version 3. */
export function documentV3(table: TypeTable, resources: readonly Published[]): object {
  const { schemas, paths } = parts(table, resources, V3)
  return { ...HEAD_V3, paths, components: { schemas } }
}

/** Definitions and paths of some resources, version 2. */
export function partsV2(table: TypeTable, resources: readonly Published[]): Parts {
  return parts(table, resources, V2)
}

/** The head of each version 3 document. */
export const HEAD_V3 = { openapi: '3.0.0', info: VERSION } as const

/** The head of the version 2 document. */
export const HEAD_V2 = { swagger: '2.0', info: VERSION } as const
