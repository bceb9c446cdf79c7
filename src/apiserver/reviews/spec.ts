/** The parts of the access reviews' specs and their checks, in upstream's words and order. */
import * as field from '../../machinery/field.ts'
import type { FieldError } from '../../machinery/field.ts'
import { isLabelValue, isQualifiedName } from '../../machinery/names.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { parseFieldSelector } from '../../machinery/selector/fields.ts'
import { parseLabelSelector } from '../../machinery/selector/labels.ts'
import { errors, type StatusError } from '../../machinery/status.ts'
import type { Attributes, UserInfo } from '../contract.ts'

interface Selector {
  readonly rawSelector?: string
  readonly requirements?: readonly unknown[]
}

export interface ResourceAttributes {
  readonly namespace?: string
  readonly verb?: string
  readonly group?: string
  readonly version?: string
  readonly resource?: string
  readonly subresource?: string
  readonly name?: string
  readonly fieldSelector?: Selector
  readonly labelSelector?: Selector
}

export interface NonResourceAttributes {
  readonly path?: string
  readonly verb?: string
}

/** SubjectAccessReviewSpec; a SelfSubjectAccessReviewSpec has the first two fields only. */
export interface AccessSpec {
  readonly resourceAttributes?: ResourceAttributes
  readonly nonResourceAttributes?: NonResourceAttributes
  readonly user?: string
  readonly groups?: readonly string[]
  readonly uid?: string
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** Kinds lose their name on the way to upstream's validation, so that its texts have none. */
export function invalidReview(list: readonly FieldError[]): StatusError {
  const error = errors.invalid({ group: 'authorization.k8s.io', kind: '' }, '', list)
  delete error.status.details?.kind
  return error
}

/** @param local whether the review belongs to a namespace; @param self whether it is about the asking user */
export function accessProblems(object: KubeObject, spec: AccessSpec, local: boolean, self: boolean): FieldError[] {
  const problems: FieldError[] = []
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec
  const shownPath = path === undefined ? null : { Path: path.path ?? '', Verb: path.verb ?? '' }
  if ((resource === undefined) === (path === undefined)) {
    const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
    problems.push(field.invalid('spec', shownPath, why))
  }
  if (!self && (spec.user ?? '') === '' && (spec.groups ?? []).length === 0) {
    problems.push(field.invalid('spec.user', '', 'at least one of user or group must be specified'))
  }
  for (const name of ['fieldSelector', 'labelSelector'] as const) {
    problems.push(...selectorProblems(name, resource?.[name]))
  }
  const { namespace, managedFields: _managed, ...metadata } = object.metadata
  const extra = Object.values(metadata).some((value) => value !== undefined)
  if (extra || (!local && namespace !== undefined && namespace !== '')) {
    const why = local ? 'must be empty except for namespace' : 'must be empty'
    problems.push(field.invalid('metadata', object.metadata, why))
  }
  if (!local) return problems
  if (resource !== undefined && (resource.namespace ?? '') !== (namespace ?? '')) {
    const why = 'must match metadata.namespace'
    problems.push(field.invalid('spec.resourceAttributes.namespace', resource.namespace ?? '', why))
  }
  if (path !== undefined) {
    problems.push(field.invalid('spec.nonResourceAttributes', shownPath, 'disallowed on this kind of request'))
  }
  return problems
}

const OPERATORS: readonly string[] = ['In', 'NotIn', 'Exists', 'DoesNotExist']

interface Requirement {
  readonly key?: string
  readonly operator?: string
  readonly values?: readonly string[]
}

function selectorProblems(name: 'fieldSelector' | 'labelSelector', selector: Selector | undefined): FieldError[] {
  if (selector === undefined) return []
  const path = `spec.resourceAttributes.${name}`
  const raw = selector.rawSelector ?? ''
  const requirements = (selector.requirements ?? []) as readonly (Requirement | null)[]
  const out: FieldError[] = []
  if (raw !== '' && requirements.length > 0) {
    out.push(field.invalid(`${path}.rawSelector`, raw, 'may not specified at the same time as requirements'))
  }
  if (raw === '' && requirements.length === 0) {
    const why = `when ${path} is specified, requirements or rawSelector is required`
    out.push(field.required(`${path}.requirements`, why))
  }
  for (const [i, requirement] of requirements.entries()) {
    requirementProblems(requirement ?? {}, `${path}.requirements[${i}]`, name === 'labelSelector', out)
  }
  return out
}

/** Operators of later versions are let through. Keys and values of fields can be any text, those of labels cannot. */
function requirementProblems(requirement: Requirement, path: string, labels: boolean, out: FieldError[]): void {
  const { key = '', operator = '', values = [] } = requirement
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
    out.push(field.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  }
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
    const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
    out.push(field.forbidden(`${path}.values`, why))
  }
  if (!labels) {
    if (key === '') out.push(field.required(`${path}.key`, 'must be specified'))
    return
  }
  for (const why of isQualifiedName(key)) out.push(field.invalid(`${path}.key`, key, why))
  for (const [i, value] of values.entries()) {
    for (const why of isLabelValue(value)) out.push(field.invalid(`${path}.values[${i}]`, value, why))
  }
}

/** What the authorizer is asked. RBAC does not look at selectors; the node authorizer does. */
export function attributesOf(spec: AccessSpec, user: UserInfo): Attributes {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec
  if (resource === undefined) return { user, verb: path?.verb ?? '', path: path?.path ?? '' }
  return {
    user,
    verb: resource.verb ?? '',
    group: resource.group ?? '',
    version: resource.version ?? '*',
    resource: resource.resource ?? '',
    subresource: resource.subresource ?? '',
    namespace: resource.namespace ?? '',
    name: resource.name ?? '',
    ...fieldSelectorOf(resource.fieldSelector),
  }
}

function fieldSelectorOf(selector: Selector | undefined): { fieldSelector?: string } {
  if (selector === undefined) return {}
  const raw = selector.rawSelector ?? ''
  if (raw.length > MOST_SELECTOR) return {}
  if (raw !== '') return { fieldSelector: raw }
  const terms = ((selector.requirements ?? []) as { key?: string; operator?: string; values?: string[] }[]).flatMap(
    ({ key = '', operator, values = [] }) =>
      values.length === 1 && (operator === 'In' || operator === 'NotIn')
        ? [`${key}${operator === 'In' ? '=' : '!='}${values[0]!.replaceAll(/[\\,=]/g, (c) => `\\${c}`)}`]
        : [],
  )
  return terms.length === 0 ? {} : { fieldSelector: terms.join(',') }
}

/** Characters of a selector that is read: none is longer in a URL. */
const MOST_SELECTOR = 64 * 1024

/** What is to be said of selectors that cannot be read: they are left out, which asks for more. */
export function evaluationError(resource: ResourceAttributes | undefined): string {
  const texts: string[] = []
  const check = (
    name: 'fieldSelector' | 'labelSelector',
    parse: (text: string) => unknown,
    isRead: (requirement: Requirement) => boolean,
  ): void => {
    const at = `spec.resourceAttributes.${name}`
    const raw = resource?.[name]?.rawSelector ?? ''
    const requirements = (resource?.[name]?.requirements ?? []) as readonly (Requirement | null)[]
    const read = requirements.filter((requirement) => isRead(requirement ?? {})).length
    if (read < requirements.length) texts.push(`${at} ${read > 0 ? 'partially ' : ''}ignored due to parse error`)
    if (raw === '') return
    try {
      if (raw.length > MOST_SELECTOR) throw new RangeError('too long to be read')
      parse(raw)
    } catch {
      texts.push(`${at} ignored due to parse error`)
    }
  }
  check('fieldSelector', parseFieldSelector, ({ operator, values = [] }) => {
    return (operator === 'In' || operator === 'NotIn') && values.length === 1
  })
  check('labelSelector', parseLabelSelector, ({ operator = '' }) => OPERATORS.includes(operator))
  return texts.join('; ')
}
