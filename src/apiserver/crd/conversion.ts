/** Conversion of custom resources by webhook, with the checks and texts of upstream. */
import { randomUUID } from 'node:crypto'
import { validateAnnotationMap, validateLabelMap } from '../../machinery/kinds/index.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { parseApiVersion } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import type { Conversion, ConversionInput } from '../contract.ts'
import type { Destination, Dialler } from '../dial/contract.ts'
import { postJson } from '../dial/post.ts'
import type { ClusterMetrics } from '../metrics/cluster.ts'
import type { ConversionFailure } from '../metrics/conversions.ts'
import { copyJson } from '../registry/json.ts'
import type { Converters, Definition } from './definition.ts'

const GROUP = 'apiextensions.k8s.io'
const KNOWN: ReadonlySet<string> = new Set(['v1', 'v1beta1'])
/** Milliseconds, as upstream's client. */
const TIMEOUT = 30_000
/** Objects may grow, not without end. */
const MAX_ANSWER = 6 * 1024 * 1024

/** Converters that call over `dialler`. */
export function webhookConverters(dialler: Dialler, metrics?: Pick<ClusterMetrics, 'conversions'>): Converters {
  return (definition) => {
    const { conversion } = definition.spec
    if (conversion?.strategy !== 'Webhook') return undefined
    return new WebhookConversion(definition, dialler, metrics)
  }
}

/** What a failure would be counted as. */
interface Stage {
  reached: ConversionFailure
}

const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf('/') + 1)

type Json = Record<string, unknown>

const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value)

/** `example.com/v1, Kind=Widget` */
function kindOf({ apiVersion = '', kind = '' }: KubeObject): string {
  return `${apiVersion}, Kind=${kind}`
}

class WebhookConversion implements Conversion {
  readonly #dialler: Dialler
  readonly #metrics: Pick<ClusterMetrics, 'conversions'> | undefined
  readonly #name: string
  readonly #destination: Destination | undefined
  readonly #caBundle: string | undefined
  readonly #version: string | undefined

  constructor(definition: Definition, dialler: Dialler, metrics: Pick<ClusterMetrics, 'conversions'> | undefined) {
    this.#dialler = dialler
    this.#metrics = metrics
    this.#name = definition.metadata.name ?? ''
    const { webhook } = definition.spec.conversion!
    this.#version = webhook?.conversionReviewVersions?.find((version) => KNOWN.has(version))
    const { url, service, caBundle } = webhook?.clientConfig ?? {}
    if (url !== undefined) this.#destination = { url }
    else if (service !== undefined) this.#destination = { service }
    const pem = Buffer.from(caBundle ?? '', 'base64').toString('utf8')
    if (pem.trim() !== '') this.#caBundle = pem
  }

  async convert(objects: readonly ConversionInput[], apiVersion: string): Promise<readonly KubeObject[]> {
    const since = performance.now()
    const stage: Stage = { reached: 'call_failure' }
    let failed = true
    try {
      const made = await this.#convert(objects, apiVersion, stage)
      failed = false
      return made
    } finally {
      const from = versionOf(objects[0]!.object.apiVersion ?? '')
      const failure = failed ? stage.reached : undefined
      const seconds = (performance.now() - since) / 1000
      this.#metrics?.conversions.converted(this.#name, from, versionOf(apiVersion), failure, seconds)
    }
  }

  async #convert(
    objects: readonly ConversionInput[],
    apiVersion: string,
    stage: Stage,
  ): Promise<readonly KubeObject[]> {
    const kind = kindOf(objects[0]!.object)
    const uid = randomUUID()
    const answer = await this.#ask(kind, uid, objects, apiVersion)
    stage.reached = 'malformed_response_failure'
    let made: unknown[]
    try {
      made = convertedObjects(answer, this.#version!, uid)
    } catch (error) {
      throw errors.unknown(`conversion webhook for ${kind} failed: ${(error as Error).message}`)
    }
    stage.reached = 'partial_response_failure'
    if (made.length !== objects.length) {
      const counts = `returned ${made.length} objects, expected ${objects.length}`
      throw errors.unknown(`conversion webhook for ${kind} ${counts}`)
    }
    stage.reached = 'invalid_converted_object_failure'
    const single = objects.length === 1
    return made.map((object, i) => checked(objects[i]!.object, object, apiVersion, single ? undefined : i))
  }

  async #ask(kind: string, uid: string, objects: readonly ConversionInput[], apiVersion: string): Promise<unknown> {
    const fail = (why: string): never => {
      throw errors.unknown(`conversion webhook for ${kind} failed: ${why}`)
    }
    if (this.#version === undefined) throw errors.unknown('no supported conversion review versions')
    if (this.#destination === undefined) return fail('no destination')
    const head = `{"kind":"ConversionReview","apiVersion":"${GROUP}/${this.#version}","request":{"uid":"${uid}","desiredAPIVersion":${JSON.stringify(apiVersion)},"objects":[`
    const parts: Buffer[] = [Buffer.from(head)]
    for (const [i, { bytes }] of objects.entries()) {
      if (i > 0) parts.push(COMMA)
      parts.push(bytes)
    }
    parts.push(TAIL)
    try {
      return await postJson(this.#dialler, {
        destination: this.#destination,
        ...(this.#caBundle === undefined ? {} : { caBundle: this.#caBundle }),
        body: Buffer.concat(parts),
        timeout: TIMEOUT,
        maxAnswer: MAX_ANSWER,
      })
    } catch (error) {
      return fail(error instanceof Error ? error.message : String(error))
    }
  }
}

const COMMA = Buffer.from(',')
const TAIL = Buffer.from(']}}')

/** The objects of a ConversionReview. @throws Error with upstream's text */
function convertedObjects(review: unknown, version: string, uid: string): unknown[] {
  const { apiVersion, kind, response } = isJson(review) ? review : ({} as Json)
  if (version === 'v1') {
    const wanted = `${GROUP}/v1, Kind=ConversionReview`
    const got = `${typeof apiVersion === 'string' ? apiVersion : ''}, Kind=${typeof kind === 'string' ? kind : ''}`
    if (got !== wanted) throw new Error(`expected webhook response of ${wanted}, got ${got}`)
  }
  if (!isJson(response)) throw new Error('no response provided')
  if (version === 'v1' && response['uid'] !== uid) {
    const got = typeof response['uid'] === 'string' ? response['uid'] : ''
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(got)}`)
  }
  const result = isJson(response['result']) ? response['result'] : {}
  if (result['status'] !== 'Success') {
    if (typeof result['message'] === 'string' && result['message'] !== '') throw new Error(result['message'])
    const status = typeof result['status'] === 'string' ? result['status'] : ''
    throw new Error(`response.result.status was '${status}', not 'Success'`)
  }
  return Array.isArray(response['convertedObjects']) ? response['convertedObjects'] : []
}

/** @throws StatusError 500 when what came back is not the same object in the wanted version */
function checked(original: KubeObject, answer: unknown, apiVersion: string, index: number | undefined): KubeObject {
  const of = `conversion webhook for ${kindOf(original)} returned invalid`
  const bad = (what: string, why: string): never => {
    throw errors.unknown(`${of} ${what}: ${why}`)
  }
  const listed = index !== undefined
  const invalid = (why: string): never => bad(listed ? `converted object at index ${index}` : 'object at index 0', why)
  if (!isJson(answer)) return invalid("Object 'Kind' is missing in 'null'")
  const made = answer as KubeObject
  const gv = parseApiVersion(typeof made.apiVersion === 'string' ? made.apiVersion : '')
  const got = gv === undefined ? '/' : gv.group === '' ? gv.version : `${gv.group}/${gv.version}`
  if (got !== apiVersion) invalid(`invalid groupVersion (expected ${apiVersion}, received ${got})`)
  if (made.kind !== original.kind) invalid(`invalid kind (expected ${original.kind}, received ${String(made.kind)})`)
  const whole = listed ? `converted object at index ${index}` : 'object'
  const before = original.metadata
  const after: Json = isJson(made.metadata) ? made.metadata : {}
  for (const [field, shown] of [
    ['name', 'name'],
    ['namespace', 'namespace'],
    ['uid', 'UID'],
  ] as const) {
    const [old = '', now = ''] = [before[field], after[field]] as [string | undefined, string | undefined]
    if (old !== now) bad(whole, `must have the same ${shown}: ${old} != ${String(now)}`)
  }
  const why = restoreMetadata(original, made)
  if (why !== undefined) bad(listed ? `metadata in object at index ${index}` : 'metadata', why)
  return made
}

/** Puts back all metadata but labels and annotations. Says what is wrong with those. */
function restoreMetadata(original: KubeObject, made: KubeObject): string | undefined {
  if (!Object.hasOwn(made, 'metadata')) return 'missing metadata in converted object'
  const answered: unknown = made.metadata
  if (!isJson(answered)) return `invalid metadata of type ${goType(answered)} in converted object`
  const metadata = copyJson(original.metadata)
  for (const field of ['labels', 'annotations'] as const) {
    const value = answered[field]
    if (value === undefined || value === null) {
      delete metadata[field]
      continue
    }
    if (!isJson(value)) return `invalid metadata.${field} of type ${goType(value)} in converted object`
    for (const [name, item] of Object.entries(value)) {
      if (typeof item === 'string') continue
      return `metadata.${field}[${name}] must be a string, but is ${goType(item)} in converted object`
    }
    const map = value as Record<string, string>
    const problems =
      field === 'labels' ? validateLabelMap(map, 'metadata.labels') : validateAnnotationMap(map, 'metadata.annotation')
    if (problems.length > 0) {
      const texts = problems.map((e) => `${e.field}: ${e.message}`)
      return texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
    }
    metadata[field] = map
  }
  made.metadata = metadata
  return undefined
}

function goType(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return JSON.isRawJSON(value) ? 'int64' : 'map[string]interface {}'
}
