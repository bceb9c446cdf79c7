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
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const VERSION = { title: 'Kubernetes', version: 'unversioned' }

interface Parts {
  readonly schemas: Record<string, Schema>
  readonly paths: Record<string, Schema>
}

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
  const custom: Record<string, Schema> = {}
  add(`${META}DeleteOptions`, { group: '', version: 'v1', kind: 'DeleteOptions' })
  add(`${META}Status`, { group: '', version: 'v1', kind: 'Status' })
  for (const { info, schema } of resources) {
    const gvk = of(info)
    add(`${META}DeleteOptions`, { group: info.group, version: info.version, kind: 'DeleteOptions' })
    if (info.type === undefined) {
      const name = definitionName(gvk)
      const list = definitionName({ ...gvk, kind: info.listKind })
      custom[name] = customSchema(schema, gvk, dialect)
      custom[list] = customListSchema(info.listKind, gvk, dialect)
      for (const type of ['ObjectMeta', 'ListMeta']) if (!kinds.has(META + type)) kinds.set(META + type, [])
      addPaths(paths, info, { object: name, list }, (s) => (s.kind === info.kind ? name : subresource(s)), dialect)
    } else {
      const list = info.verbs.includes('list') ? typeName({ ...gvk, kind: info.listKind }) : undefined
      add(info.type, gvk)
      add(list, { ...gvk, kind: info.listKind })
      addPaths(paths, info, { object: info.type, list }, subresource, dialect)
    }
  }
  const schemas = { ...schemasOf(table, kinds, dialect), [`${META}Patch`]: { type: 'object' }, ...custom }
  return { schemas, paths }
}

/** The document of one group version, version 3. */
export function documentV3(table: TypeTable, resources: readonly Published[]): object {
  const { schemas, paths } = parts(table, resources, V3)
  return { openapi: '3.0.0', info: VERSION, paths, components: { schemas } }
}

/** Definitions and paths of some resources, version 2. */
export function partsV2(table: TypeTable, resources: readonly Published[]): Parts {
  return parts(table, resources, V2)
}

/** The head of the version 2 document. */
export const HEAD_V2 = { swagger: '2.0', info: VERSION } as const
