/** What a claim asks for. */
import { child, index, invalid, notSupported, required } from '../../field.ts'
import { isDns1123Subdomain, isLongName } from '../../names.ts'
import type { Steps } from '../../schema/steps.ts'
import { requiredName } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { fill } from '../pod/defaults.ts'
import { claimConfiguration } from './config.ts'
import { distinctItems, sized } from './lists.ts'
import { fullyQualifiedName, label } from './names.ts'
import { references, requestNames } from './references.ts'
import type { RequestNames } from './references.ts'
import { selectors } from './selector.ts'
import { toleration } from './taints.ts'

const MODES = ['All', 'ExactCount']
/** Alternatives of one request. */
const MAX_SUBS = 8

/** Fills in the defaults of a claim's spec, and drops what is behind a feature that is off: derived attributes. */
export function defaultClaimSpec(spec: Json): void {
  for (const request of listOf(spec?.devices?.requests)) {
    if (isSet(request.exactly)) defaultRequest(request.exactly)
    for (const sub of listOf(request.firstAvailable)) defaultRequest(sub)
  }
}

function defaultRequest(request: Json): void {
  fill(request, 'allocationMode', 'ExactCount')
  if (request.allocationMode === 'ExactCount' && !request.count) request.count = 1
  for (const one of listOf(request.tolerations)) fill(one, 'operator', 'Equal')
}

/** DRADerivedAttributes is off. */
export function dropDisabled(spec: Json): void {
  for (const request of listOf(spec?.devices?.requests)) {
    if (isSet(request.exactly)) delete request.exactly.derivedAttributes
    for (const sub of listOf(request.firstAvailable)) delete sub.derivedAttributes
  }
}

export function* validateClaimSpec(spec: Json, path: string, out: Errors): Steps<void> {
  const names = requestNames(spec)
  const devices: Json = spec?.devices ?? {}
  const at = child(path, 'devices')
  const requestsPath = child(at, 'requests')
  const requests = sized(devices.requests, 32, requestsPath, out)
  for (const [i, request] of requests.entries()) yield* deviceRequest(request, index(requestsPath, i), out)
  distinctItems(requests, ({ name }) => name ?? '', 'DeviceRequest', requestsPath, out)
  requests.forEach(({ firstAvailable }, i) => {
    const subs = child(index(requestsPath, i), 'firstAvailable')
    const items: readonly Json[] = listOf(firstAvailable)
    if (items.length <= MAX_SUBS) distinctItems(items, ({ name }) => name ?? '', 'DeviceSubRequest', subs, out)
  })
  const constraints = child(at, 'constraints')
  sized(devices.constraints, 32, constraints, out).forEach((one, i) => {
    constraint(one, names, index(constraints, i), out)
  })
  const config = child(at, 'config')
  sized(devices.config, 32, config, out).forEach((one, i) => claimConfiguration(one, names, index(config, i), out))
}

function* deviceRequest(request: Json, path: string, out: Errors): Steps<void> {
  label(request.name, child(path, 'name'), out)
  const subs = listOf(request.firstAvailable)
  const exactly = isSet(request.exactly)
  const why = 'exactly one of `exactly` or `firstAvailable` is required'
  if (exactly && subs.length > 0) {
    out.push(invalid(path, null, `${why}, but multiple fields are set`))
    subs.forEach((sub, i) => {
      const at = child(index(child(path, 'firstAvailable'), i), 'deviceClassName')
      requiredName(sub.deviceClassName, at, isLongName, out)
    })
  } else if (exactly) yield* wanted(request.exactly, isDns1123Subdomain, child(path, 'exactly'), out)
  else if (subs.length > 0) {
    const at = child(path, 'firstAvailable')
    const items = sized(subs, MAX_SUBS, at, out)
    for (const [i, sub] of items.entries()) {
      label(sub.name, child(index(at, i), 'name'), out)
      yield* wanted(sub, isLongName, index(at, i), out)
    }
  } else out.push(required(path, why))
}

/** Upstream checks the class of a subrequest declaratively, which counts bytes. */
function* wanted(request: Json, className: (text: string) => string[], path: string, out: Errors): Steps<void> {
  requiredName(request.deviceClassName, child(path, 'deviceClassName'), className, out)
  yield* selectors(request.selectors, false, child(path, 'selectors'), out)
  const { allocationMode: mode = '', count = 0 } = request
  const at = child(path, 'count')
  if (mode === 'All') {
    if (count !== 0) out.push(invalid(at, count, "must not be specified when allocationMode is 'All'"))
  } else if (mode !== 'ExactCount') out.push(notSupported(child(path, 'allocationMode'), mode, MODES))
  else if (count <= 0) out.push(invalid(at, count, 'must be greater than zero'))
  listOf(request.tolerations).forEach((one, i) => toleration(one, index(child(path, 'tolerations'), i), out))
}

function constraint(one: Json, names: RequestNames, path: string, out: Errors): void {
  references(one.requests, names, child(path, 'requests'), out)
  if (isSet(one.matchAttribute)) fullyQualifiedName(one.matchAttribute, child(path, 'matchAttribute'), out)
  if (isSet(one.distinctAttribute)) fullyQualifiedName(one.distinctAttribute, child(path, 'distinctAttribute'), out)
  if (!isSet(one.matchAttribute) && !isSet(one.distinctAttribute)) {
    const why = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
    out.push(required(path, why))
  }
}
