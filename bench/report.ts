/** What the benchmarks share: percentiles, waiting, and results as lines that `all.ts` collects. */
import { readFileSync } from 'node:fs'

export interface Result {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What it should be: at most (`<=`) or at least (`>=`). */
  readonly goal?: { readonly sign: '<=' | '>='; readonly value: number }
  /** What it is compared with, measured in the same run. */
  readonly beside?: string
}

/** Prints a result for people; with BENCH_JSON set, for `all.ts`. */
export function report(result: Result): void {
  if (process.env['BENCH_JSON'] === '1') {
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  const { name, value, unit, goal, beside } = result
  const verdict = goal === undefined ? '' : `  goal ${goal.sign} ${goal.value} ${met(result) ? 'met' : 'MISSED'}`
  process.stdout.write(
    `${name.padEnd(72)} ${format(value).padStart(10)} ${unit.padEnd(9)}${verdict}${beside === undefined ? '' : `  (${beside})`}\n`,
  )
}

export function met({ value, goal }: Result): boolean {
  return goal === undefined || (goal.sign === '<=' ? value <= goal.value : value >= goal.value)
}

export function format(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 1 ? value.toFixed(2) : value.toFixed(3)
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? Number.NaN
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Resident MiB of this process after a full collection. Needs --expose-gc. */
export async function settledRss(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    ;(globalThis as { gc?: () => void }).gc?.()
    await pause(150)
  }
  return process.memoryUsage().rss / 2 ** 20
}

/** Resident MiB of another process. */
export function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}

/** Milliseconds of processor time of this process since `since`. */
export function cpuSince(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}
