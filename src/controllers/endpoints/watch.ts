/** Which services a change of a pod concerns. */
import type { Informer } from '../../client/contract.ts'
import { resources } from '../../client/resources.ts'
import { labelSelectorFromMap, matchesLabels } from '../../machinery/selector/labels.ts'
import type { ControllerContext } from '../contract.ts'
import { keyOf, sameValue } from '../meta.ts'
import type { Pod, Service } from '../objects.ts'
import { isReady } from '../pods.ts'
import { selectsPods } from './endpoint.ts'

/** Milliseconds in which changes of pods gather before a service is worked on. */
const GATHER = 20

export interface ServiceSource {
  readonly services: Informer<Service>
  readonly pods: Informer<Pod>
}

/** Enqueues the keys of services whose endpoints may have changed. */
export function watchServices(context: ControllerContext): ServiceSource {
  const services = context.client.informer<Service>(resources.services)
  const pods = context.client.informer<Pod>(resources.pods)
  const enqueue = (pod: Pod): void => {
    for (const service of services.list(pod.metadata.namespace!)) {
      if (selects(service, pod)) context.enqueue(keyOf(service), GATHER)
    }
  }
  services.onEvent(({ object }) => context.enqueue(keyOf(object)))
  pods.onEvent((event) => {
    if (event.type !== 'update') return enqueue(event.object)
    const { old, object } = event
    if (!concerns(old, object)) return
    enqueue(object)
    if (!sameValue(old.metadata.labels, object.metadata.labels)) enqueue(old)
  })
  return { services, pods }
}

/** The pods that a service selects. */
export function podsOf(service: Service, pods: Informer<Pod>): Pod[] {
  const selector = labelSelectorFromMap(service.spec.selector)
  return pods
    .list(service.metadata.namespace!)
    .filter((pod) => matchesLabels(selector, pod.metadata.labels))
    .toSorted((a, b) => (a.metadata.name! < b.metadata.name! ? -1 : 1))
}

function selects(service: Service, pod: Pod): boolean {
  if (!selectsPods(service)) return false
  const labels = pod.metadata.labels ?? {}
  const wanted = Object.entries(service.spec.selector!)
  return wanted.length > 0 && wanted.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)
}

function concerns(old: Pod, pod: Pod): boolean {
  return (
    old.metadata.uid !== pod.metadata.uid ||
    (old.metadata.deletionTimestamp === undefined) !== (pod.metadata.deletionTimestamp === undefined) ||
    old.status?.phase !== pod.status?.phase ||
    isReady(old) !== isReady(pod) ||
    old.spec.nodeName !== pod.spec.nodeName ||
    !sameValue(old.status?.podIPs, pod.status?.podIPs) ||
    old.status?.podIP !== pod.status?.podIP ||
    !sameValue(old.metadata.labels, pod.metadata.labels)
  )
}
