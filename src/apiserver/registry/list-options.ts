/** Validation of list and watch parameters, with upstream's texts. */
import type { ListCall, WatchCall } from '../contract.ts'
import type { FieldError } from '../../machinery/field.ts'
import { forbidden, notSupported } from '../../machinery/field.ts'
import { errors } from '../../machinery/status.ts'

const KIND = { group: 'meta.k8s.io', kind: 'ListOptions' }
const MATCH = 'resourceVersionMatch'

function refuse(list: readonly FieldError[]): void {
  if (list.length > 0) throw errors.invalid(KIND, '', list)
}

/** @throws StatusError 422 */
export function checkListOptions(query: ListCall & { readonly sendInitialEvents?: boolean }): void {
  const list: FieldError[] = []
  const match = query.resourceVersionMatch ?? ''
  if (match !== '') {
    if ((query.resourceVersion ?? '') === '') {
      list.push(forbidden(MATCH, 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
    }
    if ((query.continue ?? '') !== '') {
      list.push(forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'))
    }
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      list.push(notSupported(MATCH, match, ['Exact', 'NotOlderThan', '']))
    }
    if (match === 'Exact' && query.resourceVersion === '0') {
      list.push(forbidden(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    }
  }
  if (query.sendInitialEvents !== undefined) {
    list.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  }
  refuse(list)
}

/** @throws StatusError 422 */
export function checkWatchOptions(query: WatchCall): void {
  const list: FieldError[] = []
  const match = query.resourceVersionMatch ?? ''
  if (query.sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    list.push(forbidden(MATCH, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'))
  }
  if (match !== '') {
    if (query.sendInitialEvents === undefined) {
      list.push(forbidden(MATCH, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'))
    }
    if (match !== 'NotOlderThan') list.push(notSupported(MATCH, match, ['NotOlderThan']))
  }
  // Watches that begin with the present state have it by default.
  const fromNow = (query.resourceVersion ?? '') === '' || query.resourceVersion === '0'
  const matched = match !== '' || (fromNow && query.sendInitialEvents === undefined)
  if (matched && (query.continue ?? '') !== '') {
    list.push(forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'))
  }
  refuse(list)
}

/**
 * A resource version parameter as a number; '' is undefined.
 * @param refuse the answer to what is none: upstream's lists call it a bad request, its reads of one object and its
 *   watches an error without a reason
 * @throws StatusError 400, 500
 */
export function parseResourceVersion(
  text: string | undefined,
  refuse: (message: string) => Error = (message) => errors.badRequest(`invalid resource version: ${message}`),
): number | undefined {
  if (text === undefined || text === '') return undefined
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) {
    const shown = JSON.stringify(text)
    throw refuse(`resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: invalid syntax`)
  }
  return value
}
