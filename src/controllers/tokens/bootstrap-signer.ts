/**
 * Signs the ConfigMap `cluster-info` of kube-public with the bootstrap tokens that are for it, so that who joins with one
 * can believe what it says of the cluster before it knows its authority.
 */
import { createHmac } from 'node:crypto'
import { isExpired } from '../../apiserver/authn/bootstrap-token.ts'
import { resources } from '../../client/resources.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { isReason } from '../../machinery/status.ts'
import type { Controller, ControllerContext } from '../contract.ts'

const TOKENS = 'kube-system'
const TYPE = 'bootstrap.kubernetes.io/token'
const INFO = { namespace: 'kube-public', name: 'cluster-info' } as const
const CONTENT = 'kubeconfig'
const SIGNATURE = 'jws-kubeconfig-'

type Data = Readonly<Record<string, string>>

/** Nothing is read while there is no such ConfigMap. There is one key. */
export function bootstrapSigner(context: ControllerContext): Controller {
  const { client } = context
  const maps = client.informer(resources.configmaps)
  const secrets = client.informer(resources.secrets)
  return {
    name: 'bootstrap-signer',
    start() {
      maps.onEvent(({ type, object: { metadata } }) => {
        const { namespace, name } = metadata
        if (type !== 'delete' && namespace === INFO.namespace && name === INFO.name) context.enqueue(INFO.name)
      })
      secrets.onEvent(({ object }) => {
        if (object.metadata.namespace === TOKENS && object['type'] === TYPE) context.enqueue(INFO.name)
      })
    },
    async reconcile() {
      if (!maps.synced) await maps.ready()
      if (!secrets.synced) await secrets.ready()
      const map = maps.get(INFO.namespace, INFO.name)
      const data = (map?.['data'] ?? {}) as Data
      const content = data[CONTENT]
      if (map === undefined || content === undefined) return
      const wanted = signed(data, content, secrets.list(TOKENS), context.now())
      if (sameData(data, wanted)) return
      await client
        .update(resources.configmaps, { ...map, data: wanted }, { namespace: INFO.namespace })
        .catch((error: unknown) => {
          if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
        })
    },
  }
}

/** The data with the signatures of now. */
function signed(data: Data, content: string, secrets: readonly KubeObject[], now: number): Data {
  const wanted = Object.fromEntries(Object.entries(data).filter(([key]) => !key.startsWith(SIGNATURE)))
  for (const secret of secrets) {
    const token = signingToken(secret, now)
    if (token !== undefined) wanted[SIGNATURE + token.id] = detachedSignature(content, token.id, token.secret)
  }
  return wanted
}

/** Undefined: the Secret is no token that signs. */
function signingToken(secret: KubeObject, now: number): { readonly id: string; readonly secret: string } | undefined {
  if (secret['type'] !== TYPE) return undefined
  const value = (key: string): string => {
    const data = (secret['data'] ?? {}) as Data
    return Object.hasOwn(data, key) ? Buffer.from(data[key]!, 'base64').toString('utf8') : ''
  }
  const [, id] = /^bootstrap-token-([a-z0-9]{6})$/.exec(secret.metadata.name ?? '') ?? []
  const text = value('token-secret')
  if (id === undefined || value('token-id') !== id || text === '') return undefined
  if (isExpired(value('expiration'), now) || value('usage-bootstrap-signing') !== 'true') return undefined
  return { id, secret: text }
}

/** A JWS by HS256 without its content: RFC 7515, appendix F. */
export function detachedSignature(content: string, id: string, secret: string): string {
  const encoded = (text: string): string => Buffer.from(text).toString('base64url')
  const head = encoded(JSON.stringify({ alg: 'HS256', kid: id }))
  const signature = createHmac('sha256', secret)
    .update(`${head}.${encoded(content)}`)
    .digest('base64url')
  return `${head}..${signature}`
}

function sameData(a: Data, b: Data): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}
