/** JSON patch, RFC 6902, with the limits and liberties of upstream's library. */
import { equalJson } from '../equality.ts'
import { PatchError } from './error.ts'
import { isObject, own, put } from './value.ts'
import type { JsonObject } from './value.ts'

const MAX_OPERATIONS = 10_000
/** What all copy operations of a patch may add together, in bytes of JSON. */
const MAX_COPIED = 3 * 1024 * 1024

type Container = JsonObject | unknown[]

const isContainer = (value: unknown): value is Container => Array.isArray(value) || isObject(value)
const invalid = (message: string): PatchError => new PatchError('Invalid', message)
const quoted = (text: string): string => JSON.stringify(text)

/** A whole number as Go's Atoi reads it. */
function atoi(text: string): number | undefined {
  if (!/^[+-]?[0-9]{1,15}$/.test(text)) return undefined
  return Number(text)
}

function decodeToken(token: string): string {
  return token.includes('~') ? token.replaceAll('~1', '/').replaceAll('~0', '~') : token
}

/** The index of an existing element; negative ones count from the end. */
function indexOf(list: readonly unknown[], key: string): number {
  const index = atoi(key)
  if (index === undefined) throw invalid(`strconv.Atoi: parsing ${quoted(key)}: invalid syntax`)
  const place = index < 0 ? index + list.length : index
  if (place < 0 || place >= list.length) {
    throw invalid(`Unable to access invalid index: ${index}: invalid index referenced`)
  }
  return place
}

/**
 * A document while a patch is applied. Containers are copied before their first change, and then changed in place, so
 * that many operations on one big map or list cost what they change.
 */
class Draft {
  #root: unknown
  #mine = new Set<unknown>()
  #copied = 0

  constructor(root: unknown) {
    this.#root = root
  }

  get root(): unknown {
    return this.#root
  }

  replaceRoot(value: Container): void {
    this.#root = value
    this.#mine = new Set()
  }

  #own(container: Container): Container {
    if (this.#mine.has(container)) return container
    const copy = Array.isArray(container) ? container.slice() : { ...container }
    this.#mine.add(copy)
    return copy
  }

  /** The container that a pointer's last token looks into, and that token. With `write` it may be changed. */
  find(path: string, write: boolean): { container: Container; key: string } | undefined {
    const tokens = path.split('/')
    if (tokens.length < 2 || !isContainer(this.#root)) return undefined
    let container = this.#root
    if (write) container = this.#root = this.#own(container)
    for (let i = 1; i < tokens.length - 1; i++) {
      const token = decodeToken(tokens[i]!)
      let key: string | number = token
      if (Array.isArray(container)) {
        const index = atoi(token)
        if (index === undefined) return undefined
        key = index < 0 ? index + container.length : index
      }
      const next: unknown = Array.isArray(container) ? container[key as number] : own(container, token)
      if (!isContainer(next)) return undefined
      if (!write) {
        container = next
        continue
      }
      const mine = this.#own(next)
      if (Array.isArray(container)) container[key as number] = mine
      else put(container, token, mine)
      container = mine
    }
    return { container, key: decodeToken(tokens.at(-1)!) }
  }

  /** Counts a value that will stand in two places, and forgets that its containers were copied here. */
  share(value: unknown): void {
    this.#copied += Buffer.byteLength(JSON.stringify(value ?? null))
    if (this.#copied > MAX_COPIED) {
      throw invalid(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.#copied}, exceeding the limit ${MAX_COPIED}`,
      )
    }
    const forget = (part: unknown): void => {
      if (!isContainer(part)) return
      this.#mine.delete(part)
      for (const item of Array.isArray(part) ? part : Object.values(part)) forget(item)
    }
    forget(value)
  }
}

function read(container: Container, key: string): unknown {
  return Array.isArray(container) ? container[indexOf(container, key)] : own(container, key)
}

function add(container: Container, key: string, value: unknown): void {
  if (!Array.isArray(container)) return put(container, key, value)
  if (key === '-') {
    container.push(value)
    return
  }
  const index = atoi(key)
  if (index === undefined) {
    throw invalid(`value was not a proper array index: '${key}': strconv.Atoi: parsing ${quoted(key)}: invalid syntax`)
  }
  const place = index < 0 ? index + container.length + 1 : index
  if (place < 0 || place > container.length) {
    throw invalid(`Unable to access invalid index: ${index}: invalid index referenced`)
  }
  container.splice(place, 0, value)
}

function remove(container: Container, key: string): void {
  if (Array.isArray(container)) {
    container.splice(indexOf(container, key), 1)
  } else if (Object.hasOwn(container, key)) {
    delete container[key]
  } else {
    throw invalid(`Unable to remove nonexistent key: ${key}: missing value`)
  }
}

/** Runs `step`, putting words before what it throws. */
function within<T>(words: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (error instanceof PatchError) throw new PatchError(error.reason, `${words}: ${error.message}`)
    throw error
  }
}

type Operation = JsonObject

function text(operation: Operation, name: 'path' | 'from', verb: string): string {
  const value = own(operation, name)
  if (typeof value === 'string') return value
  throw invalid(`${verb} operation failed to decode ${name}: missing value`)
}

const missing = (verb: string, what: string, path: string): PatchError => {
  // As upstream's library has it, quoted here and not there.
  const shown = verb === 'add' || verb === 'remove' ? quoted(path) : path
  return invalid(
    `${verb} operation does not apply: ${verb === 'test' ? '' : 'doc '}is missing ${what}: ${shown}: missing value`,
  )
}

function run(draft: Draft, operation: Operation): void {
  const verb = own(operation, 'op')
  const value = own(operation, 'value') ?? null
  switch (verb) {
    case 'add': {
      const path = text(operation, 'path', verb)
      const place = draft.find(path, true)
      if (place === undefined) throw missing(verb, 'path', path)
      within(`error in add for path: '${path}'`, () => add(place.container, place.key, value))
      return
    }
    case 'remove': {
      const path = text(operation, 'path', verb)
      const place = draft.find(path, true)
      if (place === undefined) throw missing(verb, 'path', path)
      within(`error in remove for path: '${path}'`, () => remove(place.container, place.key))
      return
    }
    case 'replace': {
      const path = text(operation, 'path', verb)
      if (path === '') {
        if (!isContainer(value)) throw invalid('replace operation value must be object or array')
        draft.replaceRoot(value)
        return
      }
      const place = draft.find(path, true)
      if (place === undefined) throw missing(verb, 'path', path)
      const { container, key } = place
      if (!Array.isArray(container)) return put(container, key, value)
      const words = `replace operation does not apply: doc is missing key: ${path}`
      container[within(words, () => indexOf(container, key))] = value
      return
    }
    case 'move': {
      const from = text(operation, 'from', verb)
      const source = draft.find(from, true)
      if (source === undefined) throw missing(verb, 'from path', from)
      const moved = within(`error in move for path: '${source.key}'`, () => {
        const found = read(source.container, source.key)
        remove(source.container, source.key)
        return found
      })
      const path = text(operation, 'path', verb)
      const target = draft.find(path, true)
      if (target === undefined) throw missing(verb, 'destination path', path)
      within(`error in move for path: '${path}'`, () => add(target.container, target.key, moved))
      return
    }
    case 'copy': {
      const from = text(operation, 'from', verb)
      const source = draft.find(from, false)
      if (source === undefined) throw missing(verb, 'from path', from)
      const found = within(`error in copy for from: '${from}'`, () => read(source.container, source.key)) ?? null
      const path = text(operation, 'path', verb)
      draft.share(found)
      const target = draft.find(path, true)
      if (target === undefined) throw missing(verb, 'destination path', path)
      within('error while adding value during copy', () => add(target.container, target.key, found))
      return
    }
    case 'test': {
      const path = text(operation, 'path', verb)
      let actual = draft.root
      if (path !== '') {
        const place = draft.find(path, false)
        if (place === undefined) {
          throw invalid(`test operation does not apply: is missing path: ${path}: missing value`)
        }
        actual = within(`error in test for path: '${path}'`, () => read(place.container, place.key)) ?? null
      }
      if (!equalJson(actual, value)) throw invalid(`testing value ${path} failed: test failed`)
      return
    }
    default:
      throw invalid(`Unexpected kind: ${typeof verb === 'string' ? verb : 'unknown'}`)
  }
}

/**
 * Applies a JSON patch. Negative indices count from the end, and `replace` of a missing member adds it, as upstream.
 * Never changes its arguments; unchanged parts are shared.
 *
 * @throws PatchError BadRequest (no list of objects), RequestEntityTooLarge (too many operations), Invalid
 */
export function applyJsonPatch(document: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) {
    const type = isObject(operations) ? 'object' : typeof operations === 'boolean' ? 'bool' : typeof operations
    throw new PatchError('BadRequest', `json: cannot unmarshal ${type} into Go value of type jsonpatch.Patch`)
  }
  if (operations.length > MAX_OPERATIONS) {
    const words = `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${operations.length}`
    throw new PatchError('RequestEntityTooLarge', words)
  }
  const draft = new Draft(document)
  for (const operation of operations as unknown[]) {
    if (!isObject(operation)) {
      const words = 'json: cannot unmarshal a value into Go value of type jsonpatch.Operation'
      throw new PatchError('BadRequest', words)
    }
    run(draft, operation)
  }
  return draft.root
}
