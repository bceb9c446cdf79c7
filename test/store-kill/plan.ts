/** What the writer does, so that its judge can tell every state that it may have left. */

export const ranges = ['one', 'two', 'three', 'four']
export const writersOfRange = 16

/** The one key of a writer in a round; nobody else touches it. */
export function keyOf(round: number, writer: number): string {
  return `core/configmaps/round-${round}/w${writer}`
}

/** Whether a writer's n-th step, from 0, is a delete. Never the first one, never two in a row. */
export function isDelete(step: number): boolean {
  return step % 5 === 4
}

/** Some bytes to many kilobytes, so that pages overflow. */
export function valueOf(key: string, step: number, revision: number): string {
  return `${step} ${revision} ${key} `.padEnd(20 + ((step * 7919 + key.length * 104_729) % 9000), 'v')
}
