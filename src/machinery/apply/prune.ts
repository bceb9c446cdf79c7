/** After a merge: takes out what the applier has dropped from its configuration and nobody else manages. */
import type { KubeObject } from '../object.ts'
import { errors } from '../status.ts'
import { checkTyped } from './check.ts'
import { fieldsOf, withNamedFields } from './fields-of.ts'
import type { FieldSet } from './fieldset.ts'
import { EMPTY } from './fieldset.ts'
import type { Manager, Managers } from './managed.ts'
import { removeFields } from './remove.ts'
import type { Typed, Versions } from './versions.ts'
import { TypedError } from './walk.ts'

/**
 * `merged` without the fields of `last` (what the applier managed before) that no manager of `managers` (the applier
 * with its new fields among them) manages.
 */
export function prune(merged: Typed, managers: Managers, last: Manager | undefined, versions: Versions): Typed {
  if (last === undefined || last.fields.isEmpty) return merged
  const inLast = versionOf(
    merged,
    last.apiVersion,
    versions,
    'failed to convert merged object to last applied version: ',
  )
  if (inLast === undefined) return merged
  let pruned = without(inLast, withNamedFields(last.fields, inLast.schema))
  pruned = withOwned(inLast, pruned, last.apiVersion, managers, versions)
  pruned = withDangling(inLast, pruned, last, versions)
  return versionOf(pruned, merged.apiVersion, versions) ?? merged
}

/**
 * A version that does not know all fields of the object would lose them.
 * @throws StatusError 500, as upstream has it
 */
function versionOf(typed: Typed, apiVersion: string, versions: Versions, what = ''): Typed | undefined {
  if (typed.apiVersion === apiVersion) return typed
  const converted = versions.convert(typed, apiVersion)
  if (converted === undefined) return undefined
  try {
    checkTyped(converted.object, converted.schema)
    return converted
  } catch (error) {
    if (!(error instanceof TypedError)) throw error
    throw errors.unknown(`failed to prune fields: ${what}${error.message}`)
  }
}

function without(typed: Typed, fields: FieldSet): Typed {
  const object = removeFields(typed.object, fields, typed.schema)
  return { ...typed, object: (object ?? {}) as KubeObject }
}

const owned = (which: string, apiVersion: string): string =>
  `failed add back owned items: failed to convert ${which} object at version ${apiVersion}: `

/** Puts back what a manager manages. */
function withOwned(start: Typed, removed: Typed, first: string, managers: Managers, versions: Versions): Typed {
  const byVersion = new Map<string, FieldSet>()
  for (const { apiVersion, fields } of managers.values()) {
    byVersion.set(apiVersion, fields.union(byVersion.get(apiVersion) ?? EMPTY))
  }
  // The version that was pruned comes first: conversion may need what others manage in it.
  const order = [...byVersion.keys()].sort((a, b) => Number(b === first) - Number(a === first))
  let merged = start
  let pruned = removed
  for (const apiVersion of order) {
    const fields = byVersion.get(apiVersion)!
    const m = versionOf(merged, apiVersion, versions, owned('merged', apiVersion))
    const p = versionOf(pruned, apiVersion, versions, owned('pruned', apiVersion))
    if (m === undefined || p === undefined) continue
    const { schema } = m
    const kept = named(p).union(withNamedFields(fields, schema))
    pruned = without(m, named(m).difference(kept))
    merged = m
  }
  return pruned
}

/** Puts back what was not the applier's to remove: what it did not manage itself. */
function withDangling(merged: Typed, pruned: Typed, last: Manager, versions: Versions): Typed {
  const what = 'failed add back dangling items: failed to convert pruned object to last applied version: '
  const p = versionOf(pruned, last.apiVersion, versions, what)
  if (p === undefined) return merged
  const gone = named(merged).difference(named(p))
  return without(merged, gone.intersection(withNamedFields(last.fields, merged.schema)))
}

function named({ object, schema }: Typed): FieldSet {
  return withNamedFields(fieldsOf(object, schema), schema)
}
