/** Semantic versions, as `blang/semver` reads and orders them. */
import type { Context } from '../context.ts'
import type { Implementation, Overload } from '../overload.ts'
import { overload } from '../overload.ts'
import { goQuote } from '../../quote.ts'
import { Failure, MAX_UINT, Opaque, normal } from '../values.ts'

type Release = bigint | string

export class SemverValue extends Opaque {
  readonly type = 'kubernetes.Semver'
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly pre: readonly Release[]
  readonly build: readonly string[]
  constructor(numbers: readonly [bigint, bigint, bigint], pre: readonly Release[], build: readonly string[]) {
    super()
    this.numbers = numbers
    this.pre = pre
    this.build = build
  }
  override equals(other: SemverValue): boolean {
    return compareVersions(this, other) === 0
  }
  override toString(): string {
    const pre = this.pre.length === 0 ? '' : `-${this.pre.join('.')}`
    return `${this.numbers.join('.')}${pre}${this.build.length === 0 ? '' : `+${this.build.join('.')}`}`
  }
}

function compareParts(a: Release, b: Release): number {
  if (typeof a !== typeof b) return typeof a === 'bigint' ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}

function compareVersions(a: SemverValue, b: SemverValue): number {
  for (let i = 0; i < 3; i++) {
    const order = compareParts(a.numbers[i]!, b.numbers[i]!)
    if (order !== 0) return order
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length)
  for (let i = 0; i < Math.min(a.pre.length, b.pre.length); i++) {
    const order = compareParts(a.pre[i]!, b.pre[i]!)
    if (order !== 0) return order
  }
  return Math.sign(a.pre.length - b.pre.length)
}

class VersionError extends Error {}

function isNumber(text: string): boolean {
  return !/[^0-9]/.test(text)
}

function numberOf(name: string, text: string): bigint {
  if (!isNumber(text))
    throw new VersionError(`Invalid character(s) found in ${name.toLowerCase()} number ${goQuote(text)}`)
  if (text.length > 1 && text.startsWith('0')) {
    throw new VersionError(`${name} number must not contain leading zeroes ${goQuote(text)}`)
  }
  return unsigned(text)
}

/** `strconv.ParseUint`. */
function unsigned(text: string): bigint {
  if (text === '') throw new VersionError('strconv.ParseUint: parsing "": invalid syntax')
  const value = text.length > 20 ? MAX_UINT + 1n : BigInt(text)
  if (value > MAX_UINT) throw new VersionError(`strconv.ParseUint: parsing ${goQuote(text)}: value out of range`)
  return value
}

function release(text: string): Release {
  if (text === '') throw new VersionError('Prerelease is empty')
  if (isNumber(text)) {
    if (text.length > 1 && text.startsWith('0')) {
      throw new VersionError(`Numeric PreRelease version must not contain leading zeroes ${goQuote(text)}`)
    }
    return unsigned(text)
  }
  if (/[^0-9A-Za-z-]/.test(text)) throw new VersionError(`Invalid character(s) found in prerelease ${goQuote(text)}`)
  return text
}

function buildPart(text: string): string {
  if (text === '') throw new VersionError('Build meta data is empty')
  if (/[^0-9A-Za-z-]/.test(text)) {
    throw new VersionError(`Invalid character(s) found in build meta data ${goQuote(text)}`)
  }
  return text
}

/** In at most three parts, the last with all that is left. */
function threeParts(text: string): string[] {
  const first = text.indexOf('.')
  const second = first === -1 ? -1 : text.indexOf('.', first + 1)
  if (first === -1) return [text]
  if (second === -1) return [text.slice(0, first), text.slice(first + 1)]
  return [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)]
}

function parse(text: string): SemverValue {
  if (text === '') throw new VersionError('Version string empty')
  const [major, minor, last] = threeParts(text)
  if (major === undefined || minor === undefined || last === undefined) {
    throw new VersionError('No Major.Minor.Patch elements found')
  }
  const numbers: [bigint, bigint] = [numberOf('Major', major), numberOf('Minor', minor)]
  const plus = last.indexOf('+')
  const build = plus === -1 ? [] : last.slice(plus + 1).split('.')
  const front = plus === -1 ? last : last.slice(0, plus)
  const dash = front.indexOf('-')
  const pre = dash === -1 ? [] : front.slice(dash + 1).split('.')
  const patch = numberOf('Patch', dash === -1 ? front : front.slice(0, dash))
  return new SemverValue([...numbers, patch], pre.map(release), build.map(buildPart))
}

/** `v1.2` and `01.2.3` as `1.2.0` and `1.2.3`. */
function normalized(text: string): string {
  const parts = threeParts(text.startsWith('v') ? text.slice(1) : text).map((part) => {
    if (part.length <= 1) return part
    const trimmed = part.replace(/^0+/, '')
    return /^[0-9]/.test(trimmed) ? trimmed : `0${trimmed}`
  })
  if (parts.length < 3) {
    if (/[+-]/.test(parts.at(-1)!)) throw new VersionError('short version cannot contain PreRelease/Build meta data')
    while (parts.length < 3) parts.push('0')
  }
  return parts.join('.')
}

function read(c: Context, text: string, normalize: boolean): SemverValue | Failure {
  c.labour(200 + text.length * 2)
  try {
    return parse(normalize ? normalized(text) : text)
  } catch (error) {
    if (!(error instanceof VersionError)) throw error
    return new Failure(error.message)
  }
}

function number(index: 0 | 1 | 2): Implementation {
  return (_, version: SemverValue) => normal(BigInt.asIntN(64, version.numbers[index]))
}

const SEMVER = 'kubernetes.Semver'

export const SEMVERS: readonly Overload[] = [
  overload('semver', 'string_to_semver', `(string): ${SEMVER}`, (c, text: string) => read(c, text, false)),
  overload('semver', 'string_bool_to_semver', `(string, bool): ${SEMVER}`, read),
  overload(
    'isSemver',
    'is_semver_string',
    '(string): bool',
    (c, text: string) => !(read(c, text, false) instanceof Failure),
  ),
  overload(
    'isSemver',
    'is_semver_string_bool',
    '(string, bool): bool',
    (c, text: string, normalize: boolean) => !(read(c, text, normalize) instanceof Failure),
  ),
  overload(
    'isGreaterThan',
    'semver_is_greater_than',
    `${SEMVER}.(${SEMVER}): bool`,
    (_, a: SemverValue, b: SemverValue) => compareVersions(a, b) === 1,
  ),
  overload(
    'isLessThan',
    'semver_is_less_than',
    `${SEMVER}.(${SEMVER}): bool`,
    (_, a: SemverValue, b: SemverValue) => compareVersions(a, b) === -1,
  ),
  overload('compareTo', 'semver_compare_to', `${SEMVER}.(${SEMVER}): int`, (_, a: SemverValue, b: SemverValue) =>
    compareVersions(a, b),
  ),
  overload('major', 'semver_major', `${SEMVER}.(): int`, number(0)),
  overload('minor', 'semver_minor', `${SEMVER}.(): int`, number(1)),
  overload('patch', 'semver_patch', `${SEMVER}.(): int`, number(2)),
]
