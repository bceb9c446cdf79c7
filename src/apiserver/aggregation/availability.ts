/** Whether a remote APIService can be asked: its Service, endpoints, and an answer of its server. */
import type { KubeObject } from '../../machinery/object.ts'
import type { Range } from '../../store/contract.ts'
import { objectOf } from '../contract.ts'
import type { Condition, RemoteService } from './apiservice.ts'
import type { Backends } from './backend.ts'

/** Milliseconds for an answer. */
const TIMEOUT = 5000
/** How often the server is asked before it counts as failing: a Service may have many endpoints. */
const ATTEMPTS = 5
/** An answer is read up to so many bytes; only its status matters. */
const MAX_ANSWER = 4 * 1024 * 1024

/** A condition without its time. */
export type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>

interface Port {
  readonly name?: string
  readonly port?: number
}
interface Slice {
  readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean } }[] | null
  readonly ports?: readonly Port[] | null
}

const missing = (reason: string, message: string): Verdict => ({ status: 'False', reason, message })

/** What is wrong with the Service of a remote APIService; undefined: nothing that is stored. */
export function judgeService(
  remote: RemoteService,
  service: KubeObject | undefined,
  slices: readonly KubeObject[],
): Verdict | undefined {
  const { namespace, name, port } = remote.service
  const where = `service/${name} in ${JSON.stringify(namespace)}`
  if (service === undefined) return missing('ServiceNotFound', `${where} is not present`)
  const { type, ports } = (service['spec'] ?? {}) as { type?: string; ports?: readonly Port[] | null }
  if (type !== 'ClusterIP') return undefined
  const found = ports?.find((one) => one.port === port)
  if (found === undefined) return missing('ServicePortError', `${where} is not listening on port ${port}`)
  if (slices.length === 0) return missing('EndpointsNotFound', `cannot find endpointslices for ${where}`)
  const portName = found.name ?? ''
  const ready = slices.some((object) => {
    // Empty lists are stored as null.
    const { endpoints, ports: listed } = object as unknown as Slice
    return (
      (endpoints ?? []).some((endpoint) => endpoint.conditions?.ready !== false) &&
      (listed ?? []).some((one) => (one.name ?? '') === portName && one.port !== undefined)
    )
  })
  if (ready) return undefined
  return missing(
    'MissingEndpoints',
    `endpointslices for ${where} have no addresses with port name ${JSON.stringify(portName)}`,
  )
}

/** Looks at what is stored, then asks the server. */
export async function judge(range: Range, backends: Backends, remote: RemoteService): Promise<Verdict> {
  const { namespace, name } = remote.service
  const entry = range.get(`core/services/${namespace}/${name}`)
  const slices = range
    .list(`discovery.k8s.io/endpointslices/${namespace}/`)
    .entries.map(objectOf)
    .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === name)
  const wrong = judgeService(remote, entry === undefined ? undefined : objectOf(entry), slices)
  if (wrong !== undefined) return wrong
  const path = remote.group === '' ? `/api/${remote.version}` : `/apis/${remote.group}/${remote.version}`
  try {
    await probe(backends, remote, path).catch(() => others(backends, remote, path))
    return { status: 'True', reason: 'Passed', message: 'all checks passed' }
  } catch (error) {
    return missing('FailedDiscoveryCheck', error instanceof Error ? error.message : String(error))
  }
}

/** Asks again where other endpoints may answer. @throws Error of the last one */
async function others(backends: Backends, remote: RemoteService, path: string): Promise<void> {
  const tries = Array.from({ length: ATTEMPTS - 1 }, () => probe(backends, remote, path))
  try {
    await Promise.any(tries)
  } catch (error) {
    throw (error as AggregateError).errors.at(-1)
  }
}

/** @throws Error in upstream's words */
async function probe(backends: Backends, remote: RemoteService, path: string): Promise<void> {
  const { namespace, name, port } = remote.service
  const url = `https://${name}.${namespace}.svc:${port}${path}`
  let status: number
  try {
    const options = { headers: { accept: 'application/json' }, timeout: TIMEOUT, maxAnswer: MAX_ANSWER }
    ;({ status } = await backends.call(remote, path, options))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`failing or missing response from ${url}: ${why}`, { cause: error })
  }
  if (status < 200 || status >= 300) {
    throw new Error(`failing or missing response from ${url}: bad status from ${url}: ${status}`)
  }
}
