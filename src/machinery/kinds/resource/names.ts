/** Names in the API of dynamic resources. */
import { invalid, required, tooLong, tooLongCharacters } from '../../field.ts'
import { isDns1123Label, isDns1123Subdomain, isDns1123SubdomainOfAnyCase, isLongName } from '../../names.ts'
import { each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { Json } from '../json.ts'
import { csiDriverName } from '../pod/volumes.ts'

const MAX_POOL = 253
const MAX_DOMAIN = 63
const MAX_ID = 32
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/
const IDENTIFIER_SHOWN =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')"
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Names of drivers follow those of CSI drivers. */
export const driverName = csiDriverName

/** The name of the driver that something is for, where upstream checks it declaratively. */
export function declaredDriver(value: Json, path: string, out: Errors): void {
  const name: string = value ?? ''
  if (name === '') {
    out.push(required(path))
    return
  }
  each(isDns1123SubdomainOfAnyCase(name), path, name, out)
  if (Array.from(name).length > MAX_DOMAIN) out.push(tooLongCharacters(path, MAX_DOMAIN))
}

export function label(value: Json, path: string, out: Errors): void {
  each(isDns1123Label(value ?? ''), path, value ?? '', out)
}

/** One or more subdomains with slashes between them. `numbered`: wrong segments are told by their number. */
export function poolName(value: Json, path: string, out: Errors, numbered = false): void {
  const name: string = value ?? ''
  if (name === '') {
    out.push(required(path))
    return
  }
  if (Buffer.byteLength(name) > MAX_POOL) out.push(tooLong(path, MAX_POOL))
  name.split('/').forEach((part, i) => {
    if (!numbered) each(isDns1123Subdomain(part), path, part, out)
    else if (part === '') out.push(invalid(path, name, `segment ${i}: must not be empty`))
    else for (const why of isLongName(part)) out.push(invalid(path, part, `segment ${i}: ${why}`))
  })
}

export function uuid(value: Json, path: string, out: Errors): void {
  if (!UUID.test(value)) out.push(invalid(path, value, 'must be a lowercase UUID in 8-4-4-4-12 format'))
}

function identifier(id: string, path: string, out: Errors): void {
  if (Buffer.byteLength(id) > MAX_ID) out.push(tooLong(path, MAX_ID))
  if (!IDENTIFIER.test(id)) out.push(invalid(path, id, IDENTIFIER_SHOWN))
}

/** Keys of attributes and capacities: `[domain/]identifier`. */
export function qualifiedName(name: string, path: string, out: Errors): void {
  const parts = name.split('/')
  const [domain, id] = parts.length === 1 ? [undefined, name] : parts
  // More slashes are let through, as upstream does.
  if (parts.length > 2) return
  if (domain === '') out.push(invalid(path, '', 'the domain must not be empty'))
  else if (domain !== undefined) driverName(domain, path, out)
  if (domain !== undefined && id === '') out.push(invalid(path, '', 'the name must not be empty'))
  else identifier(id!, path, out)
}

/** `domain/identifier` */
export function fullyQualifiedName(name: string, path: string, out: Errors): void {
  const parts = name.split('/')
  if (parts.length === 1) {
    identifier(name, path, out)
    out.push(invalid(path, name, 'a fully qualified name must be a domain and a name separated by a slash'))
  }
  if (parts.length !== 2) return
  const [domain, id] = parts as [string, string]
  if (domain === '') out.push(invalid(path, '', 'prefix must not be empty'))
  else {
    if (Buffer.byteLength(domain) > MAX_DOMAIN) out.push(tooLong(path, MAX_DOMAIN))
    for (const why of isLongName(domain)) out.push(invalid(path, domain, `prefix: ${why}`))
  }
  if (id === '') out.push(invalid(path, '', 'name must not be empty'))
  else identifier(id, path, out)
}
