/**
 * The ConfigMap by which aggregated servers learn whom this server trusts: the authority of clients, and that of the
 * front proxies whose headers say who asks. It is put right again when somebody changes it.
 */
import type { KubeObject } from '../../machinery/object.ts'
import { isReason } from '../../machinery/status.ts'
import { equalJson } from '../../machinery/equality.ts'
import type { Range } from '../../store/contract.ts'
import type { FrontProxyOptions } from '../authn/front-proxy.ts'
import type { Api, Call, Target } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { HttpLog } from '../http/contract.ts'

const NAMESPACE = 'kube-system'
const NAME = 'extension-apiserver-authentication'
const KEY = `core/configmaps/${NAMESPACE}/${NAME}`

export interface TrustOptions {
  readonly range: Range
  readonly api: Pick<Api, 'catalog' | 'create' | 'update'>
  /** PEM of the authority of client certificates. */
  readonly clientCa: string
  /** PEM of the authorities of front proxies. */
  readonly proxyCa: string
  readonly frontProxy: FrontProxyOptions
  readonly log: HttpLog
}

/** The data as kube-apiserver writes it. */
export function trustData({ clientCa, proxyCa, frontProxy }: Omit<TrustOptions, 'range' | 'api' | 'log'>): object {
  return {
    'client-ca-file': clientCa,
    'requestheader-allowed-names': JSON.stringify(frontProxy.allowedNames),
    'requestheader-client-ca-file': proxyCa,
    'requestheader-extra-headers-prefix': JSON.stringify(frontProxy.extraPrefixes.map(canonical)),
    'requestheader-group-headers': JSON.stringify(frontProxy.groupHeaders.map(canonical)),
    'requestheader-uid-headers': JSON.stringify(frontProxy.uidHeaders.map(canonical)),
    'requestheader-username-headers': JSON.stringify(frontProxy.usernameHeaders.map(canonical)),
  }
}

/** `x-remote-user` → `X-Remote-User` */
const canonical = (header: string): string => header.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())

/** Returns the way to stop it. */
export function keepTrust(options: TrustOptions): () => void {
  const { range, log } = options
  const data = trustData(options)
  let stopped = false
  let working: Promise<void> | undefined
  const look = (): void => {
    if (stopped || working !== undefined || isRight(range, data)) return
    working = put(options, data)
      .catch((error: unknown) => {
        // Somebody was faster: that write is looked at.
        const meanwhile = isReason(error, 'AlreadyExists') || isReason(error, 'Conflict') || isReason(error, 'NotFound')
        if (!stopped && !meanwhile) log.error('trust of aggregated servers', { error: String(error) })
      })
      .finally(() => {
        working = undefined
      })
  }
  const stop = range.watch(KEY, range.revision, () => setImmediate(look))
  // Nobody needs it before the cluster answers.
  setImmediate(look)
  return () => {
    stopped = true
    stop()
  }
}

function isRight(range: Range, data: object): boolean {
  const entry = range.latest(KEY)
  return entry !== undefined && equalJson(objectOf(entry)['data'], data)
}

async function put({ range, api }: TrustOptions, data: object): Promise<void> {
  const call: Call = {
    user: { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] },
    fieldManager: 'kube-apiserver',
  }
  const resource = api.catalog.find('', 'v1', 'configmaps')!
  const target: Target = { resource, namespace: NAMESPACE, name: NAME }
  const entry = range.latest(KEY)
  const metadata = entry === undefined ? { name: NAME, namespace: NAMESPACE } : objectOf(entry).metadata
  const object: KubeObject = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { ...metadata }, data }
  if (entry === undefined) await api.create(call, { ...target, name: '' }, object)
  else await api.update(call, target, object)
}
