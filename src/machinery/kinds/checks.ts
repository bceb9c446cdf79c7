/** Small checks that many kinds share, with Kubernetes' wording. Each appends to `out`. */
import { duplicate, invalid, notSupported, required } from '../field.ts'
import type { FieldError } from '../field.ts'
import { isDns1123Label, isDns1123Subdomain, isInRange, isQualifiedName } from '../names.ts'
import { same } from './json.ts'
import type { Json } from './json.ts'

/** What is wrong, in upstream's order. */
export type Errors = FieldError[]

/** One `Invalid value` per message of a format check. */
export function each(messages: readonly string[], path: string, value: Json, out: Errors): void {
  for (const message of messages) out.push(invalid(path, value, message))
}

/** A required string, checked by `check` when it is there. */
export function requiredName(value: Json, path: string, check: (text: string) => readonly string[], out: Errors): void {
  if (!value) out.push(required(path))
  else each(check(String(value)), path, value, out)
}

export function dnsLabel(value: Json, path: string, out: Errors): void {
  each(isDns1123Label(String(value ?? '')), path, value ?? '', out)
}

export function dnsSubdomain(value: Json, path: string, out: Errors): void {
  each(isDns1123Subdomain(String(value ?? '')), path, value ?? '', out)
}

export function qualifiedName(value: Json, path: string, out: Errors): void {
  each(isQualifiedName(String(value ?? '')), path, value ?? '', out)
}

export function nonNegative(value: Json, path: string, out: Errors): void {
  if (Number(value ?? 0) < 0) out.push(invalid(path, value, 'must be greater than or equal to 0'))
}

export function positive(value: Json, path: string, out: Errors): void {
  if (Number(value ?? 0) <= 0) out.push(invalid(path, value ?? 0, 'must be greater than zero'))
}

/** Unix user and group ids. */
export function isUnixId(value: number): string[] {
  return isInRange(value, 0, 2147483647)
}

export function immutable(now: Json, old: Json, path: string, out: Errors, shown: Json = now): void {
  if (!same(now, old)) out.push(invalid(path, shown ?? null, 'field is immutable'))
}

/** A required value out of a closed set. `values` stand in the message in this order. */
export function oneOf(value: Json, values: readonly string[], path: string, out: Errors): void {
  if (!values.includes(String(value ?? ''))) out.push(notSupported(path, value ?? '', values))
}

/** Like {@link oneOf}, where an empty value is `Required value`. */
export function requiredOneOf(value: Json, values: readonly string[], path: string, out: Errors): void {
  if (!value) out.push(required(path))
  else oneOf(value, values, path, out)
}

/** Remembers names and reports the second use of one. */
export function unique(seen: Set<string>, value: string, path: string, out: Errors): void {
  if (seen.has(value)) out.push(duplicate(path, value))
  else seen.add(value)
}

const UNDERSCORE_LABEL = /^_?[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?$/

/** DNS search paths: subdomains whose labels may hold underscores. */
export function isDnsSubdomainWithUnderscore(value: string): string[] {
  const errors: string[] = []
  if (Buffer.byteLength(value) > 253) errors.push('must be no more than 253 characters')
  if (!value.split('.').every((label) => UNDERSCORE_LABEL.test(label))) {
    errors.push(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')",
    )
  }
  return errors
}
