/** The way from client-side apply to server-side apply: what kubectl noted in its annotation counts as its own. */
import type { KubeObject } from '../object.ts'
import { checkTyped } from './check.ts'
import { compare } from './compare.ts'
import { fieldsOf } from './fields-of.ts'
import type { FieldSet } from './fieldset.ts'
import { goJson, isMap } from './gotext.ts'
import { TypedError } from './walk.ts'
import type { Typed } from './versions.ts'

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
/** All annotations together may have so many bytes. */
const MAX_ANNOTATIONS = 256 * 1024

/** The manager whose conflicts with its own former self are none. */
export const KUBECTL = 'kubectl'

function annotationOf(object: KubeObject): string {
  const annotations: unknown = object.metadata?.annotations
  const text = isMap(annotations) && Object.hasOwn(annotations, LAST_APPLIED) ? annotations[LAST_APPLIED] : ''
  return typeof text === 'string' ? text : ''
}

/** Fields that client-side apply set and that are still as it set them; undefined without a usable annotation. */
export function lastAppliedFields(live: Typed): FieldSet | undefined {
  const text = annotationOf(live.object)
  if (text === '') return undefined
  try {
    const last: unknown = JSON.parse(text)
    if (!isMap(last) || last['apiVersion'] !== live.apiVersion) return undefined
    checkTyped(live.object, live.schema)
    checkTyped(last, live.schema)
    const { modified, added, removed } = compare(last, live.object, live.schema)
    return fieldsOf(last, live.schema).difference(modified).difference(added).difference(removed)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypedError) return undefined
    throw error
  }
}

/** The object with its annotation, if it has one, brought up to date with what was applied. */
export function withLastApplied(object: KubeObject, config: KubeObject): KubeObject {
  if (annotationOf(object) === '') return object
  const annotations = { ...object.metadata.annotations, [LAST_APPLIED]: lastAppliedText(config) }
  let size = 0
  for (const [key, value] of Object.entries(annotations)) size += Buffer.byteLength(key) + Buffer.byteLength(value)
  if (size > MAX_ANNOTATIONS) delete (annotations as Record<string, string>)[LAST_APPLIED]
  return { ...object, metadata: { ...object.metadata, annotations } }
}

function lastAppliedText(config: KubeObject): string {
  const { [LAST_APPLIED]: _dropped, ...annotations } = config.metadata?.annotations ?? {}
  const { annotations: had, ...metadata } = config.metadata ?? {}
  const left = had === undefined || had === null ? metadata : { ...metadata, annotations }
  return `${goJson({ ...config, metadata: left })}\n`
}
