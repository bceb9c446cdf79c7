/** The subresources that are connections: log, exec, attach, port-forward, and proxies to pods, Services and nodes. */
import { offeredProtocols } from '../authn/websocket-token.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import type { Connection, Connector } from '../http/contract.ts'
import { PROTOCOL } from './channels.ts'
import { servicePlaceElsewhere, streamRest, type Elsewhere } from './elsewhere.ts'
import { answerLog, type LogSource } from './logs.ts'
import { escapePath, joinPath } from './paths.ts'
import {
  containerOf,
  kubeletOf,
  nodeNameOf,
  podPlace,
  servicePlace,
  speaksWebSocket,
  splitName,
  type Objects,
  type OnNode,
  type Place,
} from './place.ts'
import { dialPlace, hostOf, passOn, wantsUpgrade, withConnection, type Proxying } from './proxy.ts'
import { translate, type StreamOptions } from './translate.ts'
import { offersTunnel, tunnel } from './tunnel.ts'

export interface ConnectorOptions extends Proxying {
  readonly objects: Objects
  readonly logs: LogSource
  /**
   * Why nobody answers at a place on a node that runs nothing; undefined for one that does.
   * @default every node runs its pods
   */
  readonly absent?: (node: KubeObject | undefined, place: Place) => string | undefined
  /** Where the pods of this cluster are, if they are pods of another one. @default they are on its own nodes */
  readonly elsewhere?: Elsewhere
  /** A number in [0, 1). */
  random(): number
}

/** By `resource/subresource`. */
export function createConnectors(options: ConnectorOptions): Readonly<Record<string, Connector>> {
  const { objects, random, elsewhere } = options
  const command = (verb: 'exec' | 'attach') => (connection: Connection) => stream(options, connection, verb)
  return {
    'pods/log': ({ reply, target: { namespace, name }, query }) =>
      answerLog(options, objects, options.logs, { reply, namespace, name, query }),
    'pods/exec': command('exec'),
    'pods/attach': command('attach'),
    'pods/portforward': (connection) => stream(options, connection, 'portForward'),
    'pods/proxy': async (connection) => {
      const { namespace, name: id } = connection.target
      const { scheme, name, port } = split(id, 'pod')
      const pod = podOf(objects, namespace, name)
      if (elsewhere !== undefined) {
        const there = { ...pod, status: { podIPs: [{ ip: await elsewhere.address(pod) }] } }
        return proxy(options, connection, { place: podPlace(there, scheme || 'http', port), node: '' })
      }
      return proxy(options, connection, { place: podPlace(pod, scheme || 'http', port), node: nodeNameOf(pod) })
    },
    'services/proxy': async (connection) => {
      const { namespace, name: id } = connection.target
      const { scheme, name, port } = split(id, 'service')
      if (elsewhere !== undefined) {
        const asked = { scheme: scheme || 'http', name, port } as const
        return proxy(options, connection, {
          place: await servicePlaceElsewhere(elsewhere, objects, namespace, asked),
          node: '',
        })
      }
      return proxy(
        options,
        connection,
        servicePlace(objects, namespace, { scheme: scheme || 'http', name, port }, random),
      )
    },
    'nodes/proxy': async (connection) => {
      const { scheme, name, port } = split(connection.target.name, 'node')
      // They are another cluster's, whose kubelets would do more than its pods may.
      if (elsewhere !== undefined) throw errors.serviceUnavailable(`error trying to reach service: ${NOT_HERE}`)
      const node = nodeOf(objects, name)
      const kubelet = kubeletOf(node)
      const own = port === '' || port === kubelet.port
      const other: Place = { ...kubelet, scheme: scheme || 'http', port, kubelet: false }
      return proxy(options, connection, { place: { ...(own ? kubelet : other), vetted: true }, node: name })
    },
  }
}

const NOT_HERE = 'nodes of the host are not reached through a virtual cluster'

function split(id: string, kind: string): NonNullable<ReturnType<typeof splitName>> {
  const parts = splitName(id)
  if (parts === undefined) throw errors.badRequest(`invalid ${kind} request ${JSON.stringify(id)}`)
  return parts
}

function podOf(objects: Objects, namespace: string, name: string): KubeObject {
  const pod = objects.pod(namespace, name)
  if (pod === undefined) throw errors.notFound({ group: '', resource: 'pods' }, name)
  return pod
}

function nodeOf(objects: Objects, name: string): KubeObject {
  const node = objects.node(name)
  if (node === undefined) throw errors.notFound({ group: '', resource: 'nodes' }, name)
  return node
}

function proxy(
  options: ConnectorOptions,
  { reply, options: asked, path }: Connection,
  { place, node }: OnNode,
): Promise<void> {
  const absent = options.absent?.(options.objects.node(node), place)
  if (absent !== undefined) throw errors.serviceUnavailable(`error trying to reach service: ${absent}`)
  return passOn(options, { reply, place, path: joinPath(String(asked['path'] ?? '')), query: '', asked: path })
}

async function stream(
  options: ConnectorOptions,
  { reply, target: { namespace, name }, options: asked }: Connection,
  verb: 'exec' | 'attach' | 'portForward',
): Promise<void> {
  const { objects } = options
  const { exchange } = reply
  const pod = podOf(objects, namespace, name)
  const container = verb === 'portForward' ? undefined : containerOf(pod, asked['container'] as string | undefined)
  const nodeName = nodeNameOf(pod)
  if (nodeName === '') throw errors.badRequest(`pod ${name} does not have a host assigned`)
  if (options.elsewhere !== undefined) {
    if (!wantsUpgrade(exchange)) throw errors.badRequest('Upgrade request required')
    return options.elsewhere.stream(pod, streamRest(asked, verb.toLowerCase(), container), reply)
  }
  const node = objects.node(nodeName)
  // Upstream names the resource of the request.
  if (node === undefined) throw errors.notFound({ group: '', resource: 'pods' }, nodeName)
  const place = kubeletOf(node)
  const path = `/${[verb, namespace, name, ...(container === undefined ? [] : [container])].join('/')}`
  const query = streamQuery(asked, verb)
  if (!wantsUpgrade(exchange)) throw errors.badRequest('Upgrade request required')
  const dial = (signal: AbortSignal) => async () => {
    const absent = options.absent?.(node, place)
    if (absent !== undefined) throw new Error(absent)
    return dialPlace(options, place, signal)
  }
  const target = escapePath(path) + (query === '' ? '' : `?${query}`)
  const translated = exchange.headers['upgrade']?.toLowerCase() === 'websocket' && !speaksWebSocket(node)
  if (translated && verb === 'portForward' && offersTunnel(reply))
    return withConnection(exchange, (signal) => tunnel(reply, target, dial(signal), signal))
  if (translated && verb !== 'portForward' && offeredProtocols(exchange.headers).includes(PROTOCOL)) {
    const streams = asked as StreamOptions
    const origin = `https://${hostOf(place)}`
    return withConnection(exchange, (signal) =>
      translate({ reply, target, origin, streams, signal, dial: dial(signal) }),
    )
  }
  const absent = options.absent?.(node, place)
  if (absent !== undefined) throw errors.unknown(`error dialing backend: ${absent}`)
  await passOn(options, { reply, place, path, query, upgradeOnly: true, asked: path })
}

/** As Go's encoder writes what the kubelet is asked. */
function streamQuery(asked: KubeObject, verb: 'exec' | 'attach' | 'portForward'): string {
  const pairs: [string, string][] = []
  if (verb === 'portForward') {
    const ports = (asked['ports'] ?? []) as number[]
    if (ports.length > 0) pairs.push(['port', ports.join(',')])
  } else {
    for (const word of (verb === 'exec' ? (asked['command'] ?? []) : []) as string[]) pairs.push(['command', word])
    if (asked['stderr'] === true) pairs.push(['error', '1'])
    if (asked['stdin'] === true) pairs.push(['input', '1'])
    if (asked['stdout'] === true) pairs.push(['output', '1'])
    if (asked['tty'] === true) pairs.push(['tty', '1'])
  }
  return new URLSearchParams(pairs).toString()
}
