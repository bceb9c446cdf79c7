/** Tables as `kubectl get` asks for them (metav1.Table). */
import type { KubeObject } from '../object.ts'

/** metav1.TableColumnDefinition. Priority 0 is always shown, 1 only in wide output. */
export interface Column {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
}

/** metav1.TableRowCondition */
export interface RowCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

/** A cell as JSON. */
export type Cell = string | number | boolean | null

export interface TableDefinition {
  /** The order of the rows of a list. @default as they are listed */
  compare?(a: KubeObject, b: KubeObject): number
  /**
   * The object as upstream's internal type has it, which tables and metadata alone are made from: in it there are no
   * annotations that stand for fields. @default as it is
   */
  internal?(object: KubeObject): KubeObject
  /** Rows of an empty list are null: upstream's converter makes none then. @default false */
  readonly nullable?: boolean
  readonly columns: readonly Column[]
  /**
   * One cell for each column. `now` is in milliseconds, for ages. `siblings` are all objects of the answer, where a row
   * depends on them (the default StorageClass).
   */
  cells(object: KubeObject, now: number, siblings?: readonly KubeObject[]): Cell[]
  conditions?(object: KubeObject): readonly RowCondition[]
}

type Spec = string | readonly [name: string, type: string, priority?: number, format?: string]

/** Columns from short forms: a name (of a string), or name, type, priority, format. `Name` is the name. */
export function columns(...specs: readonly Spec[]): readonly Column[] {
  return specs.map((spec) => {
    const [name, type = 'string', priority = 0, format = name === 'Name' ? 'name' : ''] =
      typeof spec === 'string' ? ([spec] as const) : spec
    return { name, type, format, description: '', priority }
  })
}

/** String columns that only wide output shows. */
export const wide = (...names: readonly string[]): Spec[] => names.map((name) => [name, 'string', 1] as const)
