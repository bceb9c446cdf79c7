/** `successPolicy`: when enough indexes have succeeded. Pure. */
import { Indexes } from './indexes.ts'
import type { Job } from './objects.ts'

/** The message of the condition when a rule is met. */
export function metSuccessPolicy(job: Job, succeeded: Indexes): string | undefined {
  if (succeeded.size === 0) return undefined
  for (const [i, rule] of (job.spec.successPolicy?.rules ?? []).entries()) {
    const { succeededIndexes, succeededCount } = rule
    if (isMet(job, succeeded, succeededIndexes, succeededCount)) return `Matched rules at index ${i}`
  }
  return undefined
}

function isMet(job: Job, succeeded: Indexes, text: string | undefined, count: number | undefined): boolean {
  if (text === undefined) return count !== undefined && succeeded.size >= count
  const wanted = Indexes.parse(text, job.spec.completions ?? 0)
  if (wanted.size === 0) return false
  const have = wanted.overlap(succeeded)
  return have === wanted.size || (count !== undefined && have >= count)
}
