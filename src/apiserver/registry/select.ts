/** Label and field selectors of a list or watch, compiled once for the call. */
import type { ListCall, ServedResource } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { Entry } from '../../store/contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { parseFieldSelector } from '../../machinery/selector/fields.ts'
import { matchesLabels, parseLabelSelector } from '../../machinery/selector/labels.ts'
import { goQuote } from '../../machinery/quote.ts'
import { errors } from '../../machinery/status.ts'
import { rulesOf } from './core.ts'

export interface Selection {
  /** Nothing is filtered. */
  readonly empty: boolean
  /** From `metadata.name=x`: an index lookup instead of a scan. */
  readonly name: string | undefined
  /** From `metadata.namespace=x`. */
  readonly namespace: string | undefined
  matches(entry: Entry): boolean
}

type Test = (object: KubeObject) => boolean

const EVERYTHING: Selection = { empty: true, name: undefined, namespace: undefined, matches: () => true }

/** @throws StatusError 400 for malformed selectors and fields that the kind cannot be selected by */
export function compileSelection(served: ServedResource, query: ListCall): Selection {
  const tests: Test[] = []
  let name: string | undefined
  let namespace: string | undefined
  if (query.labelSelector !== undefined && query.labelSelector !== '') {
    const text = query.labelSelector
    const selector = parsed(() => parseLabelSelector(text))
    tests.push((object) => matchesLabels(selector, object.metadata.labels))
  }
  if (query.fieldSelector !== undefined && query.fieldSelector !== '') {
    const text = query.fieldSelector
    for (const { field, operator, value } of parsed(() => parseFieldSelector(text))) {
      const read = fieldOf(served, field)
      if (operator === '=' && field === 'metadata.name') name = value
      if (operator === '=' && field === 'metadata.namespace') namespace = value
      tests.push(operator === '=' ? (object) => read(object) === value : (object) => read(object) !== value)
    }
  }
  if (tests.length === 0) return EVERYTHING
  return {
    empty: false,
    name,
    namespace,
    matches(entry) {
      const object = objectOf(entry)
      for (const test of tests) if (!test(object)) return false
      return true
    },
  }
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw errors.badRequest(error instanceof Error ? error.message : String(error))
  }
}

function fieldOf(served: ServedResource, field: string): (object: KubeObject) => string {
  if (field === 'metadata.name') return (object) => object.metadata.name ?? ''
  const custom = served.custom
  const fields = custom === undefined ? rulesOf(served).fields : undefined
  // Upstream lists what a kind with fields of its own is selected by, and namespaces only for some.
  const listed = fields !== undefined && (!served.info.namespaced || served.info.group === 'certificates.k8s.io')
  if (field === 'metadata.namespace' && custom === undefined && !listed)
    return (object) => object.metadata.namespace ?? ''
  if (custom !== undefined) {
    const path = custom.selectableFields.find((p) => p.replace(/^\./, '') === field)
    if (path !== undefined) return (object) => valueAt(object, field)
  } else if (fields !== undefined && Object.hasOwn(fields, field)) return fields[field]!
  throw errors.badRequest(
    custom === undefined && fields === undefined
      ? `${goQuote(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
      : unsupported(served, field),
  )
}

/** Each kind says it in its own way. */
function unsupported({ info: { group, version, kind } }: ServedResource, field: string): string {
  if (group === 'resource.k8s.io') return `field label not supported for ${group}/${version}, Kind=${kind}: ${field}`
  if (kind === 'Job') return `field label ${goQuote(field)} not supported for Job`
  return `field label not supported: ${field}`
}

/** The scalar at a simple path, as text; '' when there is none. */
function valueAt(object: KubeObject, path: string): string {
  let value: unknown = object
  for (const part of path.split('.')) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, part)) return ''
    value = (value as Record<string, unknown>)[part]
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}
