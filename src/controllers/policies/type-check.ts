/**
 * Type checking of validating admission policies: their expressions against the types of the kinds that they are about.
 * What it finds are warnings for people; nothing depends on them.
 */
import { compileInSteps } from '../../machinery/cel/compile.ts'
import type { CelType } from '../../machinery/cel/contract.ts'
import type { Variable } from '../../machinery/policy/composition.ts'
import type { Steps } from '../../machinery/schema/steps.ts'
import { VARIABLES, declarations } from '../../machinery/policy/environment.ts'
import { composedType } from '../../machinery/policy/expression.ts'

/** A kind with the type of its objects. */
export interface KnownKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly type: CelType
}

interface Rule {
  readonly apiGroups?: readonly string[]
  readonly apiVersions?: readonly string[]
  readonly resources?: readonly string[]
}

export interface CheckedSpec {
  readonly paramKind?: { readonly apiVersion?: string; readonly kind?: string }
  readonly matchConstraints?: { readonly resourceRules?: readonly Rule[] }
  readonly variables?: readonly Variable[]
  readonly validations?: readonly { readonly expression: string; readonly messageExpression?: string }[]
}

/** `fieldRef` as in `spec.validations[0].expression`. */
export interface ExpressionWarning {
  readonly fieldRef: string
  readonly warning: string
}

export interface ResourceVersion {
  readonly group: string
  readonly version: string
  readonly resource: string
}

/** Kinds that one rule may bring. */
const MOST_KINDS = 10

/** What a policy is about, as far as its rules name it: stars and subresources are left out. Sorted. */
export function namedResources({ matchConstraints }: CheckedSpec): readonly (readonly ResourceVersion[])[] {
  const plain = (list: readonly string[] = []): string[] =>
    list.some((one) => one.includes('*')) ? [] : list.toSorted()
  return (matchConstraints?.resourceRules ?? []).map(({ apiGroups, apiVersions, resources = [] }) => {
    const named = resources.filter((one) => !/[*/]/.test(one)).toSorted()
    return plain(apiGroups).flatMap((group) =>
      plain(apiVersions).flatMap((version) => named.map((resource) => ({ group, version, resource }))),
    )
  })
}

/** The kinds to check against, each once, in the order of group, version and kind. */
export function kindsToCheck(
  rules: readonly (readonly ResourceVersion[])[],
  kindsOf: (resource: ResourceVersion) => readonly KnownKind[],
): readonly KnownKind[] {
  const found = new Map<string, KnownKind>()
  for (const resources of rules) {
    let count = 0
    for (const kind of resources.flatMap((resource) => kindsOf(resource))) {
      found.set(`${kind.group}\0${kind.version}\0${kind.kind}`, kind)
      // As upstream: a rule with too many ends the search.
      if (++count === MOST_KINDS) return sorted(found)
    }
  }
  return sorted(found)
}

const sorted = (found: ReadonlyMap<string, KnownKind>): readonly KnownKind[] =>
  [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, kind]) => kind)

/** The warnings of a policy, in steps. `params`: the type of its parameters where it is known. */
export function* checkTypes(
  spec: CheckedSpec,
  kinds: readonly KnownKind[],
  params: CelType | undefined,
): Steps<readonly ExpressionWarning[]> {
  const environments: (readonly [KnownKind, ReadonlyMap<string, CelType>])[] = []
  for (const kind of kinds) environments.push([kind, yield* environmentOf(spec, kind.type, params)])
  const out: ExpressionWarning[] = []
  const check = function* (text: string, fieldRef: string): Steps<void> {
    const warnings: string[] = []
    for (const [kind, variables] of environments) {
      yield undefined
      const compiled = yield* compileInSteps(text, { profile: 'admission', variables })
      if (!compiled.ok) warnings.push(`${titleOf(kind)}: ${compiled.issues}\n`)
    }
    if (warnings.length > 0) out.push({ fieldRef, warning: warnings.join('\n') })
  }
  for (const [i, { expression, messageExpression = '' }] of (spec.validations ?? []).entries()) {
    yield* check(expression, `spec.validations[${i}].expression`)
    if (messageExpression !== '') yield* check(messageExpression, `spec.validations[${i}].messageExpression`)
  }
  return out
}

/** `apps/v1, Kind=Deployment` */
const titleOf = ({ group, version, kind }: KnownKind): string => `${group}/${version}, Kind=${kind}`

function* environmentOf(
  { paramKind, variables = [] }: CheckedSpec,
  object: CelType,
  params: CelType | undefined,
): Steps<ReadonlyMap<string, CelType>> {
  const composed = new Map<string, CelType>()
  const scope = {
    params: (paramKind?.kind ?? '') !== '',
    authorizer: true,
    object,
    composed,
    ...(params === undefined ? {} : { paramsType: params }),
  }
  const out = new Map(declarations(scope))
  // Upstream's checker does not know this one.
  out.delete('authorizer.requestResource')
  for (const { name, expression } of variables) {
    yield undefined
    const compiled = yield* compileInSteps(expression, { profile: 'admission', variables: out })
    const type: CelType = compiled.ok ? composedType(compiled.program.type) : { kind: 'dyn' }
    composed.set(name, type)
    out.set(`${VARIABLES}${name}`, type)
  }
  return out
}
