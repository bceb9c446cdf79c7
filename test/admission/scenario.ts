/**
 * Scenarios of admission policies: what a cluster with these policies answers to these requests. All scenarios share a
 * cluster: each has a namespace of its own, and its policies are about that namespace unless they say otherwise.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'

type Json = Record<string, unknown>

/** A request; `$ns` in paths and bodies is the scenario's namespace. */
export interface Request {
  /** @default POST, or as `patch` and `delete` say */
  readonly method?: string
  /** Below the namespace: `configmaps/x`; with a leading slash, from the root. @default configmaps */
  readonly path?: string
  readonly body?: unknown
  /** @default application/json */
  readonly type?: string
  /** Impersonated. @default the admin */
  readonly user?: string
  readonly groups?: readonly string[]
}

export interface Policy {
  /** Behind the scenario's name. @default none */
  readonly suffix?: string
  readonly spec: Json
  /** Specs beyond the policy's name, which is set. @default one that denies */
  readonly bindings?: readonly Json[]
}

export interface Scenario {
  readonly name: string
  readonly validating: readonly Policy[]
  readonly mutating: readonly Policy[]
  /** Bindings of policies that are not there. */
  readonly loose: readonly Json[]
  /** Before any policy is there. */
  readonly setup: readonly Request[]
  readonly requests: readonly Request[]
}

interface Written {
  readonly name: string
  readonly validating?: Policy | readonly Policy[]
  readonly mutating?: Policy | readonly Policy[]
  readonly loose?: readonly Json[]
  readonly setup?: readonly Request[]
  readonly requests: readonly Request[]
}

const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T]

export function scenarios(): readonly Scenario[] {
  const folder = join(import.meta.dirname, 'scenarios')
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
  const all = files.flatMap((file) => load(readFileSync(join(folder, file), 'utf8')) as readonly Written[])
  return all.map(({ name, validating, mutating, loose = [], setup = [], requests }) => ({
    name,
    validating: list(validating),
    mutating: list(mutating),
    loose,
    setup,
    requests,
  }))
}

/** A name as objects have it. */
export const slug = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 50)
