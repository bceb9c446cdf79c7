/** The functions and types of each of Kubernetes' environments. */
import type { Scope } from './check.ts'
import type { CelProfile, CelType } from './contract.ts'
import { AUTHZ } from './library/authz.ts'
import { NAMED_FORMATS } from './library/formats.ts'
import { LISTS } from './library/lists.ts'
import { LOOPS } from './library/loops.ts'
import { JSON_PATCH, mutationField, mutationType } from './library/mutation.ts'
import { NET } from './library/net.ts'
import { OPERATORS } from './library/operators.ts'
import { OPTIONAL } from './library/optional.ts'
import { QUANTITIES } from './library/quantity.ts'
import { REGEX } from './library/regex.ts'
import { SEMVERS } from './library/semver.ts'
import { SETS } from './library/sets.ts'
import { STANDARD } from './library/standard.ts'
import { STRINGS } from './library/strings.ts'
import { URLS } from './library/url.ts'
import type { FunctionDecl, Overload } from './overload.ts'
import type { Type } from './types.ts'
import { DYN, fromDeclared, libraryType, listOf, mapOf, opaque, simpleType } from './types.ts'

const COMMON: readonly (readonly Overload[])[] = [
  OPERATORS,
  STANDARD,
  OPTIONAL,
  LOOPS,
  SETS,
  STRINGS,
  LISTS,
  REGEX,
  URLS,
  QUANTITIES,
  NET,
  NAMED_FORMATS,
  SEMVERS,
  AUTHZ,
]

function collect(libraries: readonly (readonly Overload[])[]): ReadonlyMap<string, FunctionDecl> {
  const functions = new Map<string, { name: string; overloads: Overload[] }>()
  for (const overload of libraries.flat()) {
    const known = functions.get(overload.name)
    if (known === undefined) functions.set(overload.name, { name: overload.name, overloads: [overload] })
    else known.overloads.push(overload)
  }
  return functions
}

const environments = new Map<CelProfile, ReadonlyMap<string, FunctionDecl>>()

function functionsOf(profile: CelProfile): ReadonlyMap<string, FunctionDecl> {
  let found = environments.get(profile)
  if (found === undefined) {
    found = collect(profile === 'mutation' ? [...COMMON, JSON_PATCH] : COMMON)
    environments.set(profile, found)
  }
  return found
}

const TYPES: ReadonlyMap<string, Type> = new Map<string, Type>([
  ...['bool', 'bytes', 'double', 'int', 'string', 'uint', 'dyn', 'type'].map(
    (name) => [name, simpleType(name)] as const,
  ),
  ['list', listOf(DYN)],
  ['map', mapOf(DYN, DYN)],
  ['null_type', simpleType('null')],
  ['optional_type', opaque('optional_type', [DYN])],
  ['google.protobuf.Timestamp', simpleType('timestamp')],
  ['google.protobuf.Duration', simpleType('duration')],
  ...['net.IP', 'net.CIDR'].map((name) => [name, libraryType(name)] as const),
])

export function scopeOf(profile: CelProfile, variables: ReadonlyMap<string, CelType>): Scope {
  const functions = functionsOf(profile)
  const types = new Map<string, Type>()
  for (const [name, type] of variables) types.set(name, fromDeclared(type))
  return {
    variables: types,
    function: (name) => functions.get(name),
    type: (name) => TYPES.get(name) ?? (profile === 'mutation' ? mutationType(name) : undefined),
    field(type, name) {
      const { source } = type
      if (source === undefined) return profile === 'mutation' ? mutationField(type, name) : undefined
      const found = source.kind === 'object' ? source.field(name) : undefined
      return found === undefined ? undefined : fromDeclared(found)
    },
  }
}
