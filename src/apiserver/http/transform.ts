/** Answers in another form: Table and PartialObjectMetadata. */
import type { TableDefinition } from '../../machinery/table/contract.ts'
import { defaultTable, tableFor } from '../../machinery/table/index.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import type { Entry } from '../../store/contract.ts'
import type { Listed, Seat, ServedResource } from '../contract.ts'
import { objectOf } from '../contract.ts'
import { customTable } from '../crd/columns.ts'
import type { Negotiated } from './negotiation.ts'
import { holdsMany } from '../large/many.ts'
import { ManyItem } from './many.ts'
import { listMetadata, type Item, type ListForm } from './form.ts'
import type { Query } from './query.ts'

export type IncludeObject = 'None' | 'Metadata' | 'Object'

/** `includeObject` of a table request. @throws StatusError 400 */
export function includeObject(query: Query): IncludeObject {
  const value = query.get('includeObject') ?? ''
  if (value === '') return 'Metadata'
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value
  throw errors.badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
  )
}

/** Whether answers of a resource can be tables: everything that can be got. */
export function hasTable(resource: ServedResource, subresource: string): boolean {
  return (
    (subresource === '' || subresource === 'status' || subresource === 'scale') && resource.info.verbs.includes('get')
  )
}

/** Scales of every resource look alike. */
function tableOfObject(resource: ServedResource, { kind }: KubeObject): TableDefinition {
  const isScale = kind === 'Scale' && resource.info.kind !== 'Scale'
  return isScale ? tableFor('autoscaling', 'Scale')! : tableOf(resource)
}

export function tableOf(resource: ServedResource): TableDefinition {
  if (resource.custom !== undefined) return customTable(resource.custom)
  return tableFor(resource.info.group, resource.info.kind) ?? defaultTable
}

export interface TableOptions {
  readonly version: string
  readonly include: IncludeObject
  /** Milliseconds since the epoch: ages are counted from here. */
  readonly now: number
  /** Whether column definitions are left out: every event of a watch but the first. */
  readonly headless?: boolean
}

/** metadata alone, as `PartialObjectMetadata` of `version`. */
export function metadataOf(resource: ServedResource, object: KubeObject, version: string): object {
  return partial(tableOf(resource).internal?.(object) ?? object, version)
}

function partial({ metadata }: KubeObject, version: string): object {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata }
}

function row(
  definition: TableDefinition,
  object: KubeObject,
  options: TableOptions,
  siblings?: readonly KubeObject[],
): object {
  const internal = definition.internal?.(object) ?? object
  const cells = definition.cells(internal, options.now, siblings)
  const conditions = definition.conditions?.(internal)
  const shown =
    options.include === 'None' ? null : options.include === 'Object' ? object : partial(internal, options.version)
  return conditions === undefined || conditions.length === 0
    ? { cells, object: shown }
    : { cells, conditions, object: shown }
}

/** A Table of one object. */
export function table(resource: ServedResource, object: KubeObject, metadata: object, options: TableOptions): object {
  const definition = tableOfObject(resource, object)
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata,
    columnDefinitions: options.headless === true ? null : definition.columns,
    rows: [row(definition, object, options)],
  }
}

/** One object in the negotiated form. */
export function transformed(
  resource: ServedResource,
  object: KubeObject,
  as: Negotiated,
  options: TableOptions,
): object {
  if (as.as === 'Table') {
    const { resourceVersion = '' } = object.metadata ?? {}
    return table(resource, object, resourceVersion === '' ? {} : { resourceVersion }, options)
  }
  return metadataOf(resource, object, as.version)
}

/** A list in the negotiated form. */
export function transformedForm(
  resource: ServedResource,
  listed: Listed,
  as: Negotiated,
  options: TableOptions,
  seat: Seat | undefined,
): ListForm {
  const apiVersion = `meta.k8s.io/${as.version}`
  const metadata = listMetadata(listed)
  if (as.as === 'Table') {
    const definition = tableOf(resource)
    const head = { kind: 'Table', apiVersion, metadata, columnDefinitions: definition.columns }
    const form: ListForm = { head, field: 'rows', items: rows(definition, listed, options, seat) }
    return definition.nullable === true ? { ...form, nothing: 'null' } : form
  }
  return {
    head: { kind: 'PartialObjectMetadataList', apiVersion, metadata },
    field: 'items',
    items: metas(resource, listed, as, seat),
    nothing: 'null',
  }
}

/** What is made of an object. */
function made(entry: Entry, seat: Seat | undefined, make: (object: KubeObject) => object): Item {
  return holdsMany(entry) ? ManyItem.made(entry, make, seat) : make(objectOf(entry))
}

function* rows(
  definition: TableDefinition,
  listed: Listed,
  options: TableOptions,
  seat: Seat | undefined,
): Generator<Item> {
  if (definition.compare !== undefined) {
    const objects = listed.entries.map(objectOf).sort((a, b) => definition.compare!(a, b))
    for (const object of objects) yield row(definition, object, options)
    return
  }
  // Only few tables look at the other rows; they are short.
  const siblings = definition.cells.length > 2 ? listed.entries.map(objectOf) : undefined
  for (const entry of listed.entries) yield made(entry, seat, (object) => row(definition, object, options, siblings))
}

function* metas(resource: ServedResource, listed: Listed, as: Negotiated, seat: Seat | undefined): Generator<Item> {
  for (const entry of listed.entries) yield made(entry, seat, (object) => metadataOf(resource, object, as.version))
}
