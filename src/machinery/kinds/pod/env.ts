/** Environment variables of a container. */
import { child, index, invalid, required } from '../../field.ts'
import { isConfigMapKey, isDns1123Subdomain, isRelaxedEnvVarName, maskTrailingDash } from '../../names.ts'
import { dnsLabel, each, requiredName } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { noBacksteps } from '../paths.ts'
import { ENV_FIELDS, objectField, resourceField } from './downward.ts'

export function env(list: Json, path: string, out: Errors): void {
  listOf(list).forEach((variable, i) => {
    const at = index(path, i)
    requiredName(variable.name, child(at, 'name'), isRelaxedEnvVarName, out)
    if (isSet(variable.valueFrom)) valueFrom(variable, child(at, 'valueFrom'), out)
  })
}

function valueFrom(variable: Json, path: string, out: Errors): void {
  const from: Json = variable.valueFrom
  let sources = 0
  if (isSet(from.fieldRef)) {
    sources++
    objectField(from.fieldRef, ENV_FIELDS, child(path, 'fieldRef'), out)
  }
  if (isSet(from.resourceFieldRef)) {
    sources++
    resourceField(from.resourceFieldRef, child(path, 'resourceFieldRef'), false, out)
  }
  for (const kind of ['configMapKeyRef', 'secretKeyRef']) {
    const ref: Json = from[kind]
    if (!isSet(ref)) continue
    sources++
    const at = child(path, kind)
    each(isDns1123Subdomain(ref.name ?? ''), child(at, 'name'), ref.name ?? '', out)
    requiredName(ref.key, child(at, 'key'), isConfigMapKey, out)
  }
  if (isSet(from.fileKeyRef)) {
    sources++
    const at = child(path, 'fileKeyRef')
    const ref: Json = from.fileKeyRef
    requiredName(ref.key, child(at, 'key'), isRelaxedEnvVarName, out)
    if (!ref.volumeName) out.push(required(child(at, 'volumeName')))
    else dnsLabel(ref.volumeName, child(at, 'volumeName'), out)
    if (!ref.path) out.push(required(child(at, 'path')))
    else noBacksteps(ref.path, child(at, 'path'), out)
  }
  if (sources === 0) {
    const detail =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    out.push(invalid(path, '', detail))
  } else if (variable.value) {
    out.push(invalid(path, '', 'may not be specified when `value` is not empty'))
  } else if (sources > 1) {
    out.push(invalid(path, '', 'may not have more than one field specified at a time'))
  }
}

export function envFrom(list: Json, path: string, out: Errors): void {
  listOf(list).forEach((source, i) => {
    const at = index(path, i)
    if (source.prefix) each(isRelaxedEnvVarName(source.prefix), child(at, 'prefix'), source.prefix, out)
    let sources = 0
    for (const kind of ['configMapRef', 'secretRef']) {
      if (!isSet(source[kind])) continue
      sources++
      const name: string = source[kind].name ?? ''
      const namePath = `${at}.${kind}.name`
      if (name === '') out.push(required(namePath))
      else each(isDns1123Subdomain(maskTrailingDash(name)), namePath, name, out)
    }
    if (sources === 0) out.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
    else if (sources > 1) out.push(invalid(path, '', 'may not have more than one field specified at a time'))
  })
}
