/** LimitRanges and ResourceQuotas. */
import { child, duplicate, forbidden, index, invalid, key as keyed, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isQualifiedName } from '../../names.ts'
import { compareQuantities, parseQuantity, quantityMilli, quantityOf } from '../../quantity.ts'
import type { Quantity } from '../../quantity.ts'
import { each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { entriesOf, entry, isSet, listOf, setEntry } from '../json.ts'
import type { Json } from '../json.ts'
import {
  containerResourceName,
  isOvercommittable,
  isQuotaResource,
  quotaResourceName,
  resourceName,
  resourceQuantity,
  roundList,
} from '../resources.ts'

const TYPES = ['Pod', 'Container', 'PersistentVolumeClaim']
const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

function limitDefaults(item: Json): void {
  for (const field of LISTS) roundList(item[field])
  if (item.type !== 'Container') return
  const limits: Json = (item.default ??= {})
  const requests: Json = (item.defaultRequest ??= {})
  const fillFrom = (target: Json, source: Json): void => {
    for (const [name, text] of entriesOf(source)) if (entry(target, name) === undefined) setEntry(target, name, text)
  }
  fillFrom(limits, item.max)
  fillFrom(requests, limits)
  fillFrom(requests, item.min)
  for (const field of ['default', 'defaultRequest']) if (entriesOf(item[field]).length === 0) delete item[field]
}

function validateLimitRange(range: Json): FieldError[] {
  const out: Errors = []
  const seen = new Set<string>()
  listOf(range.spec?.limits).forEach((item, i) => {
    const at = index('spec.limits', i)
    const type: string = item.type ?? ''
    const messages = isQualifiedName(type)
    each(messages, child(at, 'type'), type, out)
    if (messages.length === 0 && !type.includes('/') && !TYPES.includes(type)) {
      out.push(invalid(child(at, 'type'), type, 'must be a standard limit type or fully qualified'))
    }
    if (seen.has(type)) out.push(duplicate(child(at, 'type'), type))
    seen.add(type)
    limitItem(item, type, at, out)
  })
  return out
}

function limitItem(item: Json, type: string, path: string, out: Errors): void {
  const names = new Set<string>()
  for (const field of LISTS) {
    if (type === 'Pod' && (field === 'default' || field === 'defaultRequest')) {
      if (entriesOf(item[field]).length > 0) {
        out.push(forbidden(child(path, field), "may not be specified when `type` is 'Pod'"))
      }
      continue
    }
    if (field === 'maxLimitRequestRatio' && type === 'PersistentVolumeClaim') {
      if (entry(item.min, 'storage') === undefined && entry(item.max, 'storage') === undefined) {
        const detail = 'either minimum or maximum storage value is required, but neither was provided'
        out.push(required(child(path, 'limits'), detail))
      }
    }
    for (const [name] of entriesOf(item[field])) {
      const at = keyed(child(path, field), name)
      if (type === 'Pod' || type === 'Container') containerResourceName(name, at, out)
      else resourceName(name, at, out)
      names.add(name)
    }
  }
  for (const name of names) limitsOf(item, type, name, path, out)
}

function limitsOf(item: Json, type: string, name: string, path: string, out: Errors): void {
  const texts = (field: string): string | undefined => entry(item[field], name)
  const value = (field: string): Quantity | undefined => {
    const text = texts(field)
    return text === undefined ? undefined : parseQuantity(String(text))
  }
  const pods = type === 'Pod'
  const [min, max, ratio] = [value('min'), value('max'), value('maxLimitRequestRatio')]
  const limit = pods ? undefined : value('default')
  const request = pods ? undefined : value('defaultRequest')
  const more = (a: Quantity | undefined, b: Quantity | undefined): boolean =>
    a !== undefined && b !== undefined && compareQuantities(a, b) > 0
  const say = (field: string, shown: string | undefined, detail: string): unknown =>
    out.push(invalid(keyed(child(path, field), name), shown, detail))
  const [minText, maxText, limitText, requestText, ratioText] = [
    texts('min'),
    texts('max'),
    texts('default'),
    texts('defaultRequest'),
    texts('maxLimitRequestRatio'),
  ]
  if (more(min, max)) say('min', minText, `min value ${minText} is greater than max value ${maxText}`)
  if (more(min, request)) {
    say('defaultRequest', requestText, `min value ${minText} is greater than default request value ${requestText}`)
  }
  if (more(request, max)) {
    say('defaultRequest', requestText, `default request value ${requestText} is greater than max value ${maxText}`)
  }
  if (more(request, limit)) {
    const detail = `default request value ${requestText} is greater than default limit value ${limitText}`
    say('defaultRequest', requestText, detail)
  }
  if (more(min, limit)) say('default', minText, `min value ${minText} is greater than default value ${limitText}`)
  if (more(limit, max)) say('default', maxText, `default value ${limitText} is greater than max value ${maxText}`)
  if (ratio !== undefined) {
    if (more(quantityOf(1), ratio)) say('maxLimitRequestRatio', ratioText, `ratio ${ratioText} is less than 1`)
    if (min !== undefined && max !== undefined) {
      const most = Number(quantityMilli(max)) / Number(quantityMilli(min))
      if (Number(quantityMilli(ratio)) / 1000 > most) {
        const shown = Number.isFinite(most) ? most.toFixed(6) : '+Inf'
        say('maxLimitRequestRatio', ratioText, `ratio ${ratioText} is greater than max/min = ${shown}`)
      }
    }
  }
  if (
    !isOvercommittable(name) &&
    limit !== undefined &&
    request !== undefined &&
    compareQuantities(limit, request) !== 0
  ) {
    const detail = `default value ${limitText} must equal to defaultRequest value ${requestText} in ${name}`
    say('defaultRequest', requestText, detail)
  }
}

export const limitRangeRules: KindRules = {
  // One without a name gets one that nobody else has.
  prepareCreate: (range) => {
    range.metadata.name ||= String(range.metadata.uid ?? '')
  },
  defaults: (range) => {
    for (const item of listOf((range['spec'] as Json)?.limits)) limitDefaults(item)
  },
  validate: validateLimitRange,
  generation: false,
}

const POD_SCOPES = ['Terminating', 'NotTerminating', 'NotBestEffort', 'PriorityClass', 'CrossNamespacePodAffinity']
const SCOPES = [...POD_SCOPES, 'BestEffort', 'VolumeAttributesClass']
const EXISTS_ONLY = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']
const POD_RESOURCES = ['pods', 'cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']
const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
]

function scopeCovers(scope: string, resource: string): boolean {
  if (POD_SCOPES.includes(scope)) return POD_RESOURCES.includes(resource)
  if (scope === 'BestEffort') return resource === 'pods'
  if (scope === 'VolumeAttributesClass') return resource === 'persistentvolumeclaims' || resource === 'requests.storage'
  return true
}

function quotaList(list: Json, path: string, out: Errors): void {
  for (const [name, text] of entriesOf(list)) {
    const at = keyed(path, name)
    quotaResourceName(name, at, out)
    resourceQuantity(name, text, at, out)
  }
}

function quotaSpec(spec: Json, out: Errors): void {
  quotaList(spec.hard, 'spec.hard', out)
  const hard = entriesOf(spec.hard)
    .map(([name]) => name)
    .filter(isQuotaResource)
  const scopes: readonly string[] = listOf(spec.scopes)
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) out.push(invalid('spec.scopes', scopes, 'unsupported scope'))
    for (const name of hard) {
      if (!scopeCovers(scope, name)) out.push(invalid('spec.scopes', scopes, 'unsupported scope applied to resource'))
    }
  }
  conflicts(new Set(scopes), 'spec.scopes', scopes, out)
  if (isSet(spec.scopeSelector)) scopeSelector(spec, hard, out)
}

function conflicts(set: ReadonlySet<string>, path: string, shown: Json, out: Errors): void {
  for (const pair of CONFLICTS) {
    if (pair.every((scope) => set.has(scope))) out.push(invalid(path, shown, 'conflicting scopes'))
  }
}

function scopeSelector(spec: Json, hard: readonly string[], out: Errors): void {
  const path = 'spec.scopeSelector.matchExpressions'
  const expressions = listOf(spec.scopeSelector.matchExpressions)
  const shown = {
    MatchExpressions: expressions.map((r) => ({
      ScopeName: r.scopeName ?? '',
      Operator: r.operator ?? '',
      Values: r.values ?? null,
    })),
  }
  for (const { scopeName = '', operator = '', values } of expressions) {
    if (!SCOPES.includes(scopeName)) out.push(invalid(child(path, 'scopeName'), scopeName, 'unsupported scope'))
    for (const name of hard) {
      if (!scopeCovers(scopeName, name)) out.push(invalid(path, shown, 'unsupported scope applied to resource'))
    }
    const operatorPath = child(path, 'operator')
    if (EXISTS_ONLY.includes(scopeName) && operator !== 'Exists') {
      const detail =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
      out.push(invalid(operatorPath, operator, detail))
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (listOf(values).length === 0) {
        const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
        out.push(required(child(path, 'values'), detail))
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (listOf(values).length > 0) {
        const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
        out.push(invalid(child(path, 'values'), values, detail))
      }
    } else out.push(invalid(operatorPath, operator, 'not a valid selector operator'))
  }
  const names = new Set<string>(expressions.map((r) => r.scopeName))
  conflicts(names, path, spec.scopes ?? null, out)
}

export const resourceQuotaRules: KindRules = {
  defaults: (quota) => {
    roundList((quota['spec'] as Json)?.hard)
    for (const field of ['hard', 'used']) roundList((quota['status'] as Json)?.[field])
  },
  prepareCreate: (quota) => {
    quota['status'] = {}
  },
  prepareUpdate: (quota, old) => {
    quota['status'] = old['status']
  },
  validate: (quota) => {
    const out: Errors = []
    quotaSpec(quota['spec'] ?? {}, out)
    return out
  },
  validateUpdate: (quota, old) => {
    const now: readonly string[] = listOf((quota['spec'] as Json)?.scopes)
    const before: readonly string[] = listOf((old['spec'] as Json)?.scopes)
    const equal = now.every((scope) => before.includes(scope)) && before.every((scope) => now.includes(scope))
    return equal ? [] : [invalid('spec.scopes', (quota['spec'] as Json)?.scopes, 'field is immutable')]
  },
  validateStatus: (quota) => {
    const out: Errors = []
    for (const field of ['hard', 'used']) quotaList((quota['status'] as Json)?.[field], child('status', field), out)
    return out
  },
  generation: false,
}
