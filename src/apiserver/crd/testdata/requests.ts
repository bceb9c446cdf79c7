/** The requests that cases.yaml stands for. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'

// oxlint-disable-next-line typescript/no-explicit-any -- manifests of any shape
type Any = any

export interface Request {
  readonly name: string
  readonly path: string
  readonly body: Any
}

/** A JSON merge patch. */
export function merge(target: Any, patch: Any): Any {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const out = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete out[name]
    else out[name] = merge(out[name], value)
  }
  return out
}

const cases = load(readFileSync(join(import.meta.dirname, 'cases.yaml'), 'utf8')) as Any

export const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
export const OBJECTS = '/apis/example.com/v1/namespaces/default/widgets'

/** Definitions: those that are created must be deleted again before the next. */
export function definitionRequests(): Request[] {
  return cases.definitions.map((one: Any) => {
    const body = structuredClone(merge(cases.base, one.patch ?? {}))
    const versions = body.spec.versions
    versions[0] = merge(versions[0], one.version ?? {})
    const schema = versions[0].schema?.openAPIV3Schema
    if (one.schema !== undefined) versions[0].schema.openAPIV3Schema = merge(schema, one.schema)
    if (one.property !== undefined) Object.assign(schema.properties.spec.properties, one.property)
    if (one.copyVersion !== undefined) versions.push(merge(versions[0], one.copyVersion))
    return { name: one.name, path: DEFINITIONS, body }
  })
}

/** The definition that the objects belong to. */
export const definition = (): Any => structuredClone(cases.base)

export function objectRequests(): Request[] {
  return cases.objects.map((one: Any, i: number) => ({
    name: one.name,
    path: `${OBJECTS}?fieldValidation=${one.strict === true ? 'Strict' : 'Warn'}`,
    body: {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: `w${i}`, ...one.metadata },
      ...(one.spec === undefined ? {} : { spec: one.spec }),
      ...one.extra,
    },
  }))
}

export interface Recorded {
  readonly name: string
  readonly code: number
  readonly warnings: readonly string[]
  readonly answer: Any
}

/** Leaves out what differs from run to run. */
export function stable(answer: Any): Any {
  if (answer?.metadata === undefined || answer.kind === 'Status') return answer
  const { managedFields: _f, creationTimestamp: _t, uid: _u, resourceVersion: _v, ...metadata } = answer.metadata
  return { ...answer, metadata }
}
