/** References to the requests of a claim. */
import { index, invalid } from '../../field.ts'
import type { Errors } from '../checks.ts'
import { listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { distinct, sized } from './lists.ts'
import { label } from './names.ts'

const REFERENCE =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

/** Names of the requests of a claim, each with those of its subrequests. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>

export function requestNames(spec: Json): RequestNames {
  return new Map(
    listOf(spec?.devices?.requests).map(({ name, firstAvailable }) => [
      name ?? '',
      new Set(listOf(firstAvailable).map((sub) => sub.name ?? '')),
    ]),
  )
}

/** A set of names of requests. */
export function references(list: Json, names: RequestNames, path: string, out: Errors): void {
  const items = sized(list, 32, path, out)
  items.forEach((name, i) => requestReference(name ?? '', names, index(path, i), out))
  distinct(items, (name) => name ?? '', path, out)
}

/** The name of a request, or of one of its subrequests: `request/sub`. */
export function requestReference(name: string, names: RequestNames, path: string, out: Errors): void {
  const parts = name.split('/')
  if (parts.length <= 2) for (const part of parts) label(part, path, out)
  const subs = names.get(parts[0]!)
  const known = parts.length <= 2 && subs !== undefined && (parts.length === 1 || subs.has(parts[1]!))
  if (!known) out.push(invalid(path, name, REFERENCE))
}
