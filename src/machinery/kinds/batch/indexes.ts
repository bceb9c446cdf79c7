/** Lists of completion indexes as the API has them: `0,2-4`. */

/** What is wrong, as messages say it, or how many indexes there are. */
export type IndexList =
  | { readonly problem: string }
  | { readonly count: number; readonly intervals: readonly Interval[] }

type Interval = readonly [first: number, last: number]

export function readIndexes(text: string, completions: number): IndexList {
  const intervals: Interval[] = []
  let count = 0
  if (text === '') return { count, intervals }
  for (const part of text.split(',')) {
    const limits = part.split('-')
    if (limits.length > 2) {
      return {
        problem: `the fragment ${JSON.stringify(part)} violates the requirement that an index interval can have at most two parts separated by '-'`,
      }
    }
    const numbers: number[] = []
    for (const limit of limits) {
      if (!/^[+]?[0-9]{1,10}$/.test(limit)) {
        return { problem: `cannot convert string to integer for index: ${JSON.stringify(limit)}` }
      }
      const number = Number(limit)
      if (number >= completions) return { problem: `too large index: ${JSON.stringify(limit)}` }
      numbers.push(number)
    }
    const [first = 0, last = first] = numbers
    if (limits.length > 1 && first >= last) {
      return { problem: `non-increasing order, previous: ${first}, current: ${last}` }
    }
    const previous = intervals.at(-1)
    if (previous !== undefined && previous[1] >= first) {
      return { problem: `non-increasing order, previous: ${previous[1]}, current: ${first}` }
    }
    intervals.push([first, last])
    count += last - first + 1
  }
  return { count, intervals }
}

/** The lowest index that both have. */
export function overlapOf(a: readonly Interval[], b: readonly Interval[]): number | undefined {
  for (let [i, j] = [0, 0]; i < a.length && j < b.length;) {
    const [x, y] = [a[i]!, b[j]!]
    if (x[0] <= y[1] && y[0] <= x[1]) return Math.max(x[0], y[0])
    if (x[0] <= y[0]) i++
    else j++
  }
  return undefined
}
