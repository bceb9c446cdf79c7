/** RuntimeClass: a pod's class must exist, and brings its overhead and its scheduling constraints. */
import { equalJson } from '../../machinery/equality.ts'
import { errors } from '../../machinery/status.ts'
import type { AdmissionPlugin, AdmissionRequest } from './contract.ts'
import { refusal } from './refusal.ts'

interface Toleration {
  key?: string
  operator?: string
  value?: string
  effect?: string
  tolerationSeconds?: number
}
interface RuntimeClass {
  overhead?: { podFixed?: Record<string, string> }
  scheduling?: { nodeSelector?: Record<string, string>; tolerations?: Toleration[] }
}

export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  handles: (operation, info, subresource) =>
    operation === 'CREATE' && subresource === '' && info.group === '' && info.resource === 'pods',
  mutate(request) {
    const found = classOf(request)
    if (found === undefined) return
    const spec = request.object['spec']
    const fixed = found.overhead?.podFixed
    if (fixed !== undefined) {
      if (spec.overhead !== undefined && !equalJson(spec.overhead, fixed)) {
        throw refusal(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
      }
      spec.overhead = { ...fixed }
    }
    schedule(request, found)
  },
  validate(request) {
    const overhead = request.object['spec']?.overhead as object | undefined
    const found = classOf(request)
    if (overhead === undefined || Object.keys(overhead).length === 0) return
    if (found?.overhead?.podFixed === undefined) {
      throw refusal(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
    }
  },
}

function classOf(request: AdmissionRequest): RuntimeClass | undefined {
  const name: string | undefined = request.object['spec']?.runtimeClassName
  if (name === undefined) return undefined
  // Upstream asks for it by its name, which a client does not do without one.
  if (name === '') throw errors.unknown('resource name may not be empty')
  const found = request.state.find('node.k8s.io', 'runtimeclasses', '', name)
  if (found === undefined) throw refusal(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
  return found as RuntimeClass
}

function schedule(request: AdmissionRequest, { scheduling }: RuntimeClass): void {
  if (scheduling === undefined) return
  const spec = request.object['spec']
  const selector = new Map<string, string>(Object.entries(spec.nodeSelector ?? {}))
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const own = selector.get(key)
    if (own !== undefined && own !== value) {
      throw refusal(
        request,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
      )
    }
    selector.set(key, value)
  }
  if (selector.size > 0) spec.nodeSelector = Object.fromEntries(selector)
  for (const toleration of scheduling.tolerations ?? []) {
    const list: Toleration[] = (spec.tolerations ??= [])
    if (!list.some((own) => equalJson(own, toleration))) list.push({ ...toleration })
  }
}
