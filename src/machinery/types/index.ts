/** The type table of the pinned Kubernetes version, read from its generated text on first use. */
import { resources as resourceLines, types as typeLines, versions as versionLines } from './generated/table.ts'
import type { FieldInfo, ResourceInfo, SpecialType, TypeInfo, TypeTable, ValueKind } from './table.ts'

type Extras = Partial<Pick<FieldInfo, 'path' | 'enum' | 'default' | 'format' | 'listType' | 'listMapKeys' | 'mapType'>>
type FieldRow = [name: string, number: number, type: string | number, flags: number, extras?: Extras]
type TypeRow = [name: string, flags: number, special: SpecialType | 0, ...FieldRow[]]

const KINDS: Readonly<Record<string, ValueKind>> = {
  s: 'string',
  b: 'bool',
  i: 'int32',
  l: 'int64',
  d: 'double',
  y: 'bytes',
}
const CONTAINERS = ['none', 'list', 'map'] as const
const OMITS = ['never', 'empty', 'zero'] as const
const NO_PATH: readonly number[] = []

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
/** Kinds of meta/v1 that every group version knows by its own apiVersion. */
const EVERYWHERE: ReadonlySet<string> = new Set([
  'ListOptions',
  'GetOptions',
  'DeleteOptions',
  'CreateOptions',
  'UpdateOptions',
  'PatchOptions',
  'WatchEvent',
])
/** Kinds of meta/v1 that only `v1` knows beside them. */
const UNVERSIONED: ReadonlySet<string> = new Set([
  'Status',
  'APIVersions',
  'APIGroup',
  'APIGroupList',
  'APIResourceList',
])

class GeneratedTable implements TypeTable {
  private readonly lines = typeLines.split('\n')
  private readonly indexes = new Map<string, number>()
  private readonly kinds = new Set<string>()
  private readonly prefixes = new Map<string, string>()
  private readonly materialised = new Map<string, TypeInfo>()
  private served: readonly ResourceInfo[] | undefined
  private readonly byResource = new Map<string, ResourceInfo>()

  constructor() {
    for (let i = 0; i < this.lines.length; i++) {
      const line = this.lines[i]!
      // A line begins `["name",flags`; the second bit marks a kind.
      const end = line.indexOf('"', 2)
      const name = line.slice(2, end)
      this.indexes.set(name, i)
      if ((line.charCodeAt(end + 2) & 2) !== 0) this.kinds.add(name)
    }
    for (const line of versionLines.split('\n')) {
      const [gv, prefix] = line.split(' ')
      this.prefixes.set(gv!, prefix!)
    }
  }

  type(name: string): TypeInfo {
    const known = this.materialised.get(name)
    if (known !== undefined) return known
    const index = this.indexes.get(name)
    if (index === undefined) throw new Error(`the type table has no ${name}`)
    const info = this.read(JSON.parse(this.lines[index]!) as TypeRow)
    this.materialised.set(name, info)
    return info
  }

  kind(group: string, version: string, kind: string): TypeInfo | undefined {
    const prefix = this.prefixes.get(`${group}/${version}`)
    if (prefix === undefined) return undefined
    const name = `${prefix}.${kind}`
    if (this.kinds.has(name)) return this.type(name)
    if (EVERYWHERE.has(kind) || (group === '' && UNVERSIONED.has(kind))) return this.type(`${META}.${kind}`)
    return undefined
  }

  get resources(): readonly ResourceInfo[] {
    if (this.served === undefined) {
      const list = resourceLines.split('\n').map((line) => JSON.parse(line) as ResourceInfo)
      for (const r of list) this.byResource.set(`${r.group}/${r.version}/${r.resource}`, r)
      this.served = list
    }
    return this.served
  }

  resource(group: string, version: string, resource: string): ResourceInfo | undefined {
    return this.resources.length === 0 ? undefined : this.byResource.get(`${group}/${version}/${resource}`)
  }

  private read(row: TypeRow): TypeInfo {
    const [name, flags, special, ...rows] = row
    const fields = rows.map((field) => this.field(field))
    const byName = new Map(fields.map((field) => [field.name, field]))
    const atomic = (flags & 1) !== 0
    return special === 0 ? { name, atomic, fields, byName } : { name, special, atomic, fields, byName }
  }

  private field([name, number, type, flags, extras]: FieldRow): FieldInfo {
    const object = typeof type === 'number'
    // Every field object has these properties in this order, so that all have one shape.
    return {
      name,
      number,
      path: NO_PATH,
      kind: object ? 'object' : KINDS[type]!,
      container: CONTAINERS[flags & 3]!,
      wrapped: (flags & 4) !== 0,
      required: (flags & 8) !== 0,
      omit: OMITS[(flags >> 4) & 3]!,
      pointer: (flags & 64) !== 0,
      immutable: (flags & 128) !== 0,
      ...(object ? { type: this.nameAt(type) } : {}),
      ...extras,
    }
  }

  private nameAt(index: number): string {
    const line = this.lines[index]!
    return line.slice(2, line.indexOf('"', 2))
  }
}

/** What is known of every built-in type of the Kubernetes version that Tenantry speaks. */
export const typeTable: TypeTable = new GeneratedTable()
