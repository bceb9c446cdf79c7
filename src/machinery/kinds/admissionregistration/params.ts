/** Parameters of policies: their kind, and which objects of it. */
import { child, forbidden, invalid, notSupported, required } from '../../field.ts'
import { isDns1035Label, isDns1123Subdomain, isPathSegmentName } from '../../names.ts'
import { each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet } from '../json.ts'
import type { Json } from '../json.ts'
import { validateLabelSelector } from '../labels.ts'

export function paramKind(kind: Json, path: string, out: Errors): void {
  const apiVersion: string = kind.apiVersion ?? ''
  const at = child(path, 'apiVersion')
  const parts = apiVersion.split('/')
  if (apiVersion === '') out.push(required(at))
  else if (parts.length > 2) out.push(invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  else {
    const [group, version] = parts.length === 2 ? (parts as [string, string]) : ['', apiVersion]
    const wrong = group === '' ? [] : isDns1123Subdomain(group)
    if (wrong.length > 0) out.push(invalid(at, group, wrong.join(',')))
    if (version === '') out.push(invalid(at, apiVersion, 'version must be specified'))
    else if (isDns1035Label(version).length > 0) out.push(invalid(at, version, isDns1035Label(version).join(',')))
  }
  const name: string = kind.kind ?? ''
  if (name === '') {
    out.push(required(child(path, 'kind')))
    return
  }
  const wrong = isDns1035Label(name.toLowerCase())
  if (wrong.length > 0) {
    const text = `may have mixed case, but should otherwise match: ${wrong.join(',')}`
    out.push(invalid(child(path, 'kind'), name, text))
  }
}

const EXCLUSIVE = 'name and selector are mutually exclusive'

export function paramRef(ref: Json, path: string, out: Errors): void {
  if (!isSet(ref)) return
  const name: string = ref.name ?? ''
  if (name !== '') {
    each(isPathSegmentName(name), child(path, 'name'), name, out)
    if (isSet(ref.selector)) out.push(forbidden(child(path, 'name'), EXCLUSIVE))
  }
  if (isSet(ref.selector)) {
    out.push(...validateLabelSelector(ref.selector, child(path, 'selector')))
    if (name !== '') out.push(forbidden(child(path, 'selector'), EXCLUSIVE))
  }
  if (name === '' && !isSet(ref.selector)) out.push(required(path, 'one of name or selector must be specified'))
  const action: string = ref.parameterNotFoundAction ?? ''
  const at = child(path, 'parameterNotFoundAction')
  if (action === '') out.push(required(at))
  else if (action !== 'Deny' && action !== 'Allow') out.push(notSupported(at, action, ['Deny', 'Allow']))
}
