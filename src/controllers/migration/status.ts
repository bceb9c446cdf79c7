/** What a StorageVersionMigration says of itself, in upstream's words. Pure. */
import type { KubeObject } from '../../machinery/object.ts'
import { findCondition, withCondition } from '../conditions.ts'
import type { Condition } from '../objects.ts'

export interface Migration extends KubeObject {
  spec: { resource?: { group?: string; resource?: string } }
  status?: { conditions?: Condition[]; resourceVersion?: string }
}

export type ConditionType = 'Running' | 'Succeeded' | 'Failed'

export function isTrue({ status }: Migration, type: ConditionType): boolean {
  return findCondition(status?.conditions, type)?.status === 'True'
}

export const isOver = (migration: Migration): boolean => isTrue(migration, 'Succeeded') || isTrue(migration, 'Failed')

/** Objects that are still to be migrated, of how many. */
export interface Progress {
  readonly left: number
  readonly total: number
}

export function runningMessage(progress?: Progress, transient?: string): string {
  let text = 'The migration is running'
  if (progress !== undefined && progress.total > 0) {
    const { left, total } = progress
    text += left > 0 ? `, ${left}/${total} objects not yet migrated` : `, ${total} objects verified migrated`
  }
  return transient === undefined ? text : `${text}; transient error: ${transient}`
}

/** The migration with a condition; `now` as objects hold times. */
export function withStatus(
  migration: Migration,
  type: ConditionType,
  status: 'True' | 'False',
  reason: string,
  message: string,
  now: string,
): Migration {
  const before = migration.status?.conditions ?? []
  const old = findCondition(before, type)
  const made: Condition = { type, status, lastTransitionTime: now, reason, message }
  // A message may change while its condition stays.
  const conditions =
    old?.status === status && old.reason === reason
      ? before.map((one) => (one.type === type ? { ...one, message } : one))
      : withCondition(before, made)
  return { ...migration, status: { ...migration.status, conditions } }
}

/** Whose turn it is among migrations of one resource: the older first. */
export function byAge(a: Migration, b: Migration): number {
  const [at, bt] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  if (at !== bt) return at < bt ? -1 : 1
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}
