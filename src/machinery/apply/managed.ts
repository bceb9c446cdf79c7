/**
 * metadata.managedFields: who manages which fields of an object. An entry belongs to a manager, an operation and a
 * subresource, and to an API version: its fields are named as they are in that version.
 */
import type { FieldSet } from './fieldset.ts'
import type { FieldsV1 } from './fields-v1.ts'
import { decodeFields, encodeFields, fieldsText } from './fields-v1.ts'
import { compareText, isMap } from './gotext.ts'

export type Operation = 'Apply' | 'Update'

/** metav1.ManagedFieldsEntry, in the order of Go's JSON. */
export interface ManagedFieldsEntry {
  readonly manager?: string
  readonly operation: Operation
  readonly apiVersion: string
  /** RFC 3339 in UTC with seconds. */
  readonly time?: string
  readonly fieldsType: 'FieldsV1'
  readonly fieldsV1: FieldsV1
  readonly subresource?: string
}

/** Whose an entry is. The API version tells updates apart, not applies. */
export interface ManagerName {
  readonly manager: string
  readonly operation: Operation
  readonly apiVersion: string
  readonly subresource: string
}

/** What one manager manages. */
export interface Manager extends ManagerName {
  readonly fields: FieldSet
  readonly time: string | undefined
}

/** By {@link managerId}. Never changed once it is handed on. */
export type Managers = ReadonlyMap<string, Manager>

export const NO_MANAGERS: Managers = new Map()

/** Two entries of one id are one manager. */
export function managerId({ manager, operation, apiVersion, subresource }: ManagerName): string {
  let text = manager === '' ? '{' : `{"manager":${JSON.stringify(manager)},`
  text += `"operation":"${operation}"`
  if (operation !== 'Apply') text += `,"apiVersion":${JSON.stringify(apiVersion)}`
  if (subresource !== '') text += `,"subresource":${JSON.stringify(subresource)}`
  return `${text}}`
}

const decoded = new WeakMap<object, Managers>()
const entries = new WeakMap<Manager, ManagedFieldsEntry>()
/** Those whose members stand in the order of Go's JSON, and that nobody changes. */
const encodedLists = new WeakSet<object>()

/**
 * Reads metadata.managedFields.
 * @throws SyntaxError for entries that cannot be read, in upstream's words
 */
export function decodeManagers(list: readonly unknown[] | undefined): Managers {
  if (list === undefined || list === null || list.length === 0) return NO_MANAGERS
  const known = decoded.get(list)
  if (known !== undefined) return known
  const out = new Map<string, Manager>()
  for (let i = 0; i < list.length; i++) {
    const manager = decodeEntry(list[i], i)
    out.set(managerId(manager), manager)
  }
  decoded.set(list, out)
  return out
}

function decodeEntry(entry: unknown, index: number): Manager {
  if (!isMap(entry)) throw new SyntaxError('managed fields entry is no object')
  const { operation, apiVersion, fieldsType } = entry
  if (operation !== 'Apply' && operation !== 'Update') throw new SyntaxError('operation must be `Apply` or `Update`')
  if (typeof apiVersion !== 'string' || apiVersion === '') throw new SyntaxError('apiVersion must not be empty')
  if (fieldsType === undefined || fieldsType === '') {
    throw new SyntaxError(`missing fieldsType in managed fields entry ${index}`)
  }
  if (fieldsType !== 'FieldsV1') {
    throw new SyntaxError(`invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${index}`)
  }
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const manager: Manager = {
    manager: text(entry['manager']),
    operation,
    apiVersion,
    subresource: text(entry['subresource']),
    fields: decodeFields(entry['fieldsV1']),
    time: typeof entry['time'] === 'string' ? entry['time'] : undefined,
  }
  return manager
}

/** Writes metadata.managedFields in upstream's order; undefined when nobody manages anything. */
export function encodeManagers(managers: Managers): readonly ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined
  const sorted = [...managers.values()].map(shared).sort(compareManagers)
  const list = sorted.map(encodeEntry)
  decoded.set(list, new Map(sorted.map((manager) => [managerId(manager), manager])))
  encodedLists.add(list)
  return list
}

/** The manager with the set of fields that others share. */
function shared(manager: Manager): Manager {
  if (entries.has(manager)) return manager
  const fields = decodeFields(encodeFields(manager.fields))
  return fields === manager.fields ? manager : { ...manager, fields }
}

function encodeEntry(manager: Manager): ManagedFieldsEntry {
  let entry = entries.get(manager)
  if (entry === undefined) {
    const { manager: name, operation, apiVersion, time, fields, subresource } = manager
    entry = {
      ...(name === '' ? {} : { manager: name }),
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: encodeFields(fields),
      ...(subresource === '' ? {} : { subresource }),
    }
    entries.set(manager, entry)
  }
  return entry
}

const texts = new WeakMap<object, string>()

/**
 * The JSON text of a list that {@link encodeManagers} made; undefined for any other. Its parts are remembered: the sets
 * of fields are the larger half of many objects, and the same from write to write.
 */
export function managersText(list: readonly unknown[]): string | undefined {
  let text = texts.get(list)
  if (text !== undefined) return text
  if (!encodedLists.has(list)) return undefined
  text = '['
  for (const entry of list as readonly ManagedFieldsEntry[]) text += (text.length > 1 ? ',' : '') + entryText(entry)
  text += ']'
  texts.set(list, text)
  return text
}

/** Says that `text` is the JSON text of a list that nobody changes. */
export function rememberText(list: readonly unknown[], text: string): void {
  texts.set(list, text)
}

function entryText(entry: ManagedFieldsEntry): string {
  let text = texts.get(entry)
  if (text === undefined) {
    const { fieldsV1, subresource, ...head } = entry
    const rest = subresource === undefined ? '}' : `,"subresource":${JSON.stringify(subresource)}}`
    text = `${JSON.stringify(head).slice(0, -1)},"fieldsV1":${fieldsText(fieldsV1)}${rest}`
    texts.set(entry, text)
  }
  return text
}

const CANONICAL = 'YYYY-MM-DDTHH:MM:SSZ'.length

/** Older first; what has no time is oldest. Times count in seconds. */
export function compareTimes(a: Manager, b: Manager): number {
  if (a.time === b.time) return 0
  // Times as the server writes them sort as text.
  if (a.time?.length === CANONICAL && b.time?.length === CANONICAL) return a.time < b.time ? -1 : 1
  return secondsOf(a) - secondsOf(b)
}

function secondsOf({ time }: Manager): number {
  const ms = time === undefined ? 0 : Date.parse(time)
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000)
}

function compareManagers(a: Manager, b: Manager): number {
  return (
    compareText(a.operation, b.operation) ||
    compareTimes(a, b) ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  )
}

/**
 * The managers that a write starts from: those that the written object names, if it names any that can be read, else
 * the live object's. Through a subresource nobody can name managers.
 */
export function managersFor(
  live: readonly unknown[] | undefined,
  written: readonly unknown[] | undefined,
  subresource: string,
): Managers {
  if (subresource === '') {
    if (isReset(written)) return NO_MANAGERS
    const named = decodeOrNone(written)
    if (named.size > 0) return named
  }
  return decodeOrNone(live)
}

function decodeOrNone(list: readonly unknown[] | undefined): Managers {
  try {
    return decodeManagers(list)
  } catch (error) {
    if (error instanceof SyntaxError) return NO_MANAGERS
    throw error
  }
}

/** `[]` and `[{}]` ask to forget all managers. */
export function isReset(list: readonly unknown[] | undefined): boolean {
  if (list === undefined || list === null) return false
  if (list.length === 0) return true
  return list.length === 1 && isMap(list[0]) && Object.values(list[0]).every(isNothing)
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}
