/** Tables of custom resources: the name, then the printer columns of the version. */
import { compilePath } from '../../machinery/schema/index.ts'
import type { Path } from '../../machinery/schema/index.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { ageOf } from '../../machinery/duration.ts'
import type { TableDefinition } from '../../machinery/table/contract.ts'
import type { CustomResource } from '../contract.ts'

const NAME = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object, unique among its kind in its namespace.',
  priority: 0,
}

const tables = new WeakMap<CustomResource, TableDefinition>()

/** The table of a version, made once. */
export function customTable(custom: CustomResource): TableDefinition {
  let table = tables.get(custom)
  if (table === undefined) tables.set(custom, (table = makeTable(custom)))
  return table
}

const nothing: Path = () => []

function pathOf(text: string): Path {
  try {
    return compilePath(text)
  } catch {
    // The definition was validated by an older rule: the column stays empty.
    return nothing
  }
}

function makeTable(custom: CustomResource): TableDefinition {
  const columns = custom.printerColumns.map((column) => ({ type: column.type, path: pathOf(column.jsonPath) }))
  return {
    columns: [
      NAME,
      ...custom.printerColumns.map((column) => ({
        name: column.name,
        type: column.type,
        format: column.format ?? '',
        description: column.description ?? `Value at ${column.jsonPath}`,
        priority: column.priority ?? 0,
      })),
    ],
    cells: (object: KubeObject, now: number) => [
      object.metadata.name ?? '',
      ...columns.map(({ type, path }) => {
        const [value] = path(object)
        return value === undefined ? null : cell(type, value, now)
      }),
    ],
  }
}

function text(value: unknown): string {
  if (typeof value === 'string') return value
  return value === null ? '<nil>' : JSON.stringify(value)
}

function cell(type: string, value: unknown, now: number): string | number | boolean | null {
  if (type === 'string') return text(value)
  if (value === null) return null
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? date(value, now) : null
    default:
      return null
  }
}

function date(value: string, now: number): string {
  if (Number.isNaN(Date.parse(value))) return '<invalid>'
  return ageOf(value, now)
}
