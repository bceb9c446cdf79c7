/** NodeDeclaredFeatureValidator: a pod on a node is changed only in ways that the node says it can follow. */
import type { KubeObject } from '../../machinery/object.ts'
import { compareQuantities, parseQuantity } from '../../machinery/quantity.ts'
import { equalJson } from '../../machinery/equality.ts'
import type { AdmissionPlugin } from './contract.ts'
import { refusal } from './refusal.ts'

interface Container {
  readonly restartPolicy?: string
  readonly resources?: object
}
interface Volume {
  readonly name?: string
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string }
}
interface PodSpec {
  readonly nodeName?: string
  readonly resources?: object
  readonly initContainers?: readonly Container[]
  readonly volumes?: readonly Volume[]
}

/** Whether a change needs a feature, by its name, in the order of names. */
const FEATURES: readonly (readonly [string, (old: PodSpec, now: PodSpec) => boolean])[] = [
  ['InPlacePodLevelResourcesVerticalScaling', (old, now) => !equalJson(old.resources ?? {}, now.resources ?? {})],
  [
    'InPlacePodVerticalScalingInitContainers',
    (old, now) =>
      (old.initContainers ?? []).some(
        ({ restartPolicy, resources }, i) =>
          restartPolicy !== 'Always' && !equalJson(resources ?? {}, now.initContainers?.[i]?.resources ?? {}),
      ),
  ],
  ['InPlacePodVerticalScalingMemoryBackedVolumes', resizesMemoryVolume],
]

function resizesMemoryVolume({ volumes: before = [] }: PodSpec, { volumes: now = [] }: PodSpec): boolean {
  if (before.length !== now.length) return false
  return now.some(({ name, emptyDir }, i) => {
    const old = before[i]!
    if (name !== old.name || emptyDir?.medium !== 'Memory') return false
    const [is, was] = [parseQuantity(emptyDir.sizeLimit ?? ''), parseQuantity(old.emptyDir?.sizeLimit ?? '')]
    return is !== undefined && was !== undefined && compareQuantities(is, was) !== 0
  })
}

export const nodeDeclaredFeatureValidator: AdmissionPlugin = {
  name: 'NodeDeclaredFeatureValidator',
  handles: (operation, info, subresource) =>
    operation === 'UPDATE' &&
    info.group === '' &&
    info.resource === 'pods' &&
    (subresource === '' || subresource === 'resize'),
  validate(request) {
    const { object, old, state } = request
    const spec = specOf(object)
    const { nodeName: name = '' } = spec
    if (name === '' || old === undefined || old.metadata.generation === object.metadata.generation) return
    const needed = FEATURES.filter(([, isNeeded]) => isNeeded(specOf(old), spec)).map(([feature]) => feature)
    if (needed.length === 0) return
    const node = state.find('', 'nodes', '', name)
    if (node === undefined) throw refusal(request, `node ${JSON.stringify(name)} not found`)
    const declared = (node['status']?.declaredFeatures as readonly string[] | undefined) ?? []
    const missing = needed.filter((feature) => !declared.includes(feature))
    if (missing.length === 0) return
    const text = `pod update requires features ${missing.join(', ')} which are not available on node`
    throw refusal(request, `${text} ${JSON.stringify(name)}`)
  },
}

const specOf = (pod: KubeObject): PodSpec => (pod['spec'] ?? {}) as PodSpec
