/** What strategic merge knows of a place in an object: from the type table. */
import type { TypeInfo, TypeTable } from '../types/table.ts'
import { PatchError } from './error.ts'

/** How one member of an object is merged. */
export interface MemberRule {
  /** Lists of `merge` are merged by key or as sets; everything `replace` is replaced as a whole. */
  readonly strategy: 'merge' | 'replace' | ''
  readonly mergeKey: string
  /** The type of the member, or of its elements; absent: free-form. */
  readonly type: TypeInfo | undefined
}

const FREE: MemberRule = { strategy: '', mergeKey: '', type: undefined }

/** The rule of a member. Members that the type does not know, and everything in free-form values, have none. */
export function memberRule(type: TypeInfo | undefined, name: string, table: TypeTable): MemberRule {
  const field = type?.byName.get(name)
  if (field === undefined) return FREE
  const strategy = field.patchStrategy?.find((one) => one !== 'retainKeys') ?? ''
  const plain = field.container !== 'map' && field.type !== undefined
  const info = plain ? table.type(field.type!) : undefined
  return { strategy, mergeKey: field.patchMergeKey ?? '', type: info?.special === undefined ? info : undefined }
}

/** The rule of a list that a directive names, which must exist. */
export function listRule(type: TypeInfo | undefined, name: string, table: TypeTable): MemberRule {
  if (type !== undefined && !type.byName.has(name)) {
    const struct = type.name.slice(type.name.lastIndexOf('.') + 1)
    throw new PatchError(
      'Unknown',
      `unable to find api field in struct ${struct} for the json field ${JSON.stringify(name)}`,
    )
  }
  return memberRule(type, name, table)
}
