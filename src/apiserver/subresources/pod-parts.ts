/** ephemeralcontainers and resize: the two ways to change a pod that runs. */
import type { FieldError } from '../../machinery/field.ts'
import { forbidden } from '../../machinery/field.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { rulesFor } from '../../machinery/kinds/index.ts'
import { equalJson } from '../registry/json.ts'
import type { Subresource } from '../registry/subresource.ts'

interface Named {
  name: string
}
interface Container extends Named {
  resources?: object
  resizePolicy?: object
}

/** Only adds ephemeral containers; nothing else of the pod changes. */
export const ephemeralContainers: Subresource = {
  restrict(object, old) {
    const list: unknown = object['spec']?.ephemeralContainers
    const { metadata } = object
    Object.assign(object, { ...old, spec: { ...old['spec'] } })
    object.metadata = { ...old.metadata, ...versionOf(metadata) }
    if (list === undefined) delete object['spec'].ephemeralContainers
    else object['spec'].ephemeralContainers = list
  },
  validate(object, old) {
    const wrong: FieldError[] = rulesFor('', 'Pod').validate?.(object) ?? []
    const now: Named[] = object['spec']?.ephemeralContainers ?? []
    const before: Named[] = old['spec']?.ephemeralContainers ?? []
    for (const container of before) {
      const kept = now.find(({ name }) => name === container.name)
      if (kept === undefined) {
        wrong.push(forbidden('spec.ephemeralContainers', `existing ephemeral containers "${container.name}" may not be removed\n`))
      } else if (!equalJson(kept, container)) {
        wrong.push(forbidden('spec.ephemeralContainers', `existing ephemeral containers "${container.name}" may not be changed\n`))
      }
    }
    return wrong
  },
}

/** Only changes the resources of containers; the QoS class stays. */
export const resize: Subresource = {
  restrict(object, old) {
    const wanted = object['spec'] ?? {}
    const { metadata } = object
    const spec = { ...old['spec'] }
    spec.containers = resized(spec.containers, wanted.containers)
    if (spec.initContainers !== undefined) spec.initContainers = resized(spec.initContainers, wanted.initContainers)
    if (wanted.resources !== undefined) spec.resources = wanted.resources
    Object.assign(object, { ...old, spec })
    object.metadata = { ...old.metadata, ...versionOf(metadata) }
  },
  validate(object, old) {
    const wrong: FieldError[] = rulesFor('', 'Pod').validate?.(object) ?? []
    const before = qosClass(old)
    if (qosClass(object) !== before) wrong.push(forbidden('spec', 'Pod QOS Class may not change as a result of resizing'))
    return wrong
  },
}

const versionOf = ({ resourceVersion }: KubeObject['metadata']): { resourceVersion?: string } =>
  resourceVersion === undefined ? {} : { resourceVersion }

function resized(old: readonly Container[] | undefined, wanted: readonly Container[] | undefined): Container[] {
  return (old ?? []).map((container) => {
    const next = (wanted ?? []).find(({ name }) => name === container.name)
    if (next === undefined) return container
    const out = { ...container }
    if (next.resources !== undefined) out.resources = next.resources
    if (next.resizePolicy !== undefined) out.resizePolicy = next.resizePolicy
    return out
  })
}

const COUNTED = ['cpu', 'memory'] as const

/** Guaranteed: every container limits cpu and memory to what it requests; BestEffort: none asks for any. */
function qosClass(pod: KubeObject): string {
  type Amounts = Record<string, string>
  const spec = pod['spec'] ?? {}
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])] as {
    resources?: { requests?: Amounts; limits?: Amounts }
  }[]
  let any = false
  let guaranteed = true
  for (const { resources } of containers) {
    for (const name of COUNTED) {
      const request = resources?.requests?.[name]
      const limit = resources?.limits?.[name]
      if (request !== undefined || limit !== undefined) any = true
      if (limit === undefined || (request !== undefined && request !== limit)) guaranteed = false
    }
  }
  return any ? (guaranteed ? 'Guaranteed' : 'Burstable') : 'BestEffort'
}
