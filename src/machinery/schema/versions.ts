/** Kubernetes' order of version names. */

interface Parsed {
  readonly major: number
  /** 3 stable, 2 beta, 1 alpha. */
  readonly stage: number
  readonly minor: number
}

const STAGES: Readonly<Record<string, number>> = { alpha: 1, beta: 2 }

function parse(version: string): Parsed | undefined {
  const found = /^v([1-9][0-9]{0,8})(?:(alpha|beta)([1-9][0-9]{0,8}))?$/.exec(version)
  if (found === null) return undefined
  const [, major, stage, minor] = found
  return { major: Number(major), stage: stage === undefined ? 3 : STAGES[stage]!, minor: Number(minor ?? 0) }
}

/**
 * Positive when `a` comes first in preference: v10 > v2 > v1 > v11beta2 > v10beta3 > v3beta1 > v12alpha1; other names
 * come last, in alphabetical order.
 */
export function compareVersions(a: string, b: string): number {
  const x = parse(a)
  const y = parse(b)
  if (x !== undefined && y !== undefined) return x.stage - y.stage || x.major - y.major || x.minor - y.minor
  if (x !== undefined) return 1
  if (y !== undefined) return -1
  return a < b ? 1 : a > b ? -1 : 0
}
