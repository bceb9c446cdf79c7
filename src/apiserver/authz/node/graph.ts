/**
 * Which objects have to do with which node. Pods are followed from the first question on, by node; what hangs on claims
 * is looked up. A cluster that no kubelet asks has none of it.
 */
import { objectOf } from '../../contract.ts'
import type { KubeObject } from '../../../machinery/object.ts'
import type { Range } from '../../../store/contract.ts'
import { referencesOf, volumeSecrets } from './references.ts'

const PODS = 'core/pods/'

interface Known {
  readonly node: string
  readonly keys: readonly string[]
}

export class NodeGraph {
  readonly #range: Range
  /** By pod key in the range. */
  readonly #pods = new Map<string, Known>()
  /** node → object → how many of the node's pods name it. */
  readonly #counts = new Map<string, Map<string, number>>()
  #stop: (() => void) | undefined

  constructor(range: Range) {
    this.#range = range
  }

  /** Whether an object (by resource, namespace and name) belongs to what runs on a node. */
  has(node: string, resource: string, namespace: string, name: string): boolean {
    this.#follow()
    if (resource === 'volumeattachments') {
      const attachment = this.#get(`storage.k8s.io/volumeattachments//${name}`)
      return (attachment?.['spec'] as { nodeName?: string } | undefined)?.nodeName === node
    }
    if (resource === 'resourceslices') {
      const slice = this.#get(`resource.k8s.io/resourceslices//${name}`)
      return (slice?.['spec'] as { nodeName?: string } | undefined)?.nodeName === node
    }
    if (resource === 'podcertificaterequests') {
      const request = this.#get(`certificates.k8s.io/podcertificaterequests/${namespace}/${name}`)
      return (request?.['spec'] as { nodeName?: string } | undefined)?.nodeName === node
    }
    const counts = this.#counts.get(node)
    if (counts === undefined) return false
    if (resource === 'persistentvolumes') return this.#hasVolume(counts, name)
    if (counts.has(`${resource}/${namespace}/${name}`)) return true
    return resource === 'secrets' && this.#hasVolumeSecret(counts, `secrets/${namespace}/${name}`)
  }

  close(): void {
    this.#stop?.()
  }

  #get(key: string): KubeObject | undefined {
    const entry = this.#range.get(key)
    return entry === undefined ? undefined : objectOf(entry)
  }

  #hasVolume(counts: ReadonlyMap<string, number>, name: string): boolean {
    const volume = this.#get(`core/persistentvolumes//${name}`)
    const claim = (volume?.['spec'] as { claimRef?: { namespace?: string; name?: string } } | undefined)?.claimRef
    return claim !== undefined && counts.has(`persistentvolumeclaims/${claim.namespace}/${claim.name}`)
  }

  /** Secrets of the volumes that the claims of the node's pods are bound to. */
  #hasVolumeSecret(counts: ReadonlyMap<string, number>, key: string): boolean {
    for (const reference of counts.keys()) {
      if (!reference.startsWith('persistentvolumeclaims/')) continue
      const claim = this.#get(`core/${reference}`)
      const volumeName = (claim?.['spec'] as { volumeName?: string } | undefined)?.volumeName ?? ''
      if (volumeName === '') continue
      const volume = this.#get(`core/persistentvolumes//${volumeName}`)
      if (volume !== undefined && this.#hasVolume(counts, volumeName) && volumeSecrets(volume).includes(key))
        return true
    }
    return false
  }

  #follow(): void {
    if (this.#stop !== undefined) return
    const { entries, revision } = this.#range.list(PODS)
    for (const entry of entries) this.#set(entry.key, objectOf(entry))
    this.#stop = this.#range.watch(PODS, revision, (event) => {
      this.#set(event.entry.key, event.type === 'delete' ? undefined : objectOf(event.entry))
    })
  }

  #set(key: string, pod: KubeObject | undefined): void {
    this.#forget(key)
    const node = (pod?.['spec'] as { nodeName?: string } | undefined)?.nodeName ?? ''
    if (pod === undefined || node === '') return
    const keys = referencesOf(pod)
    this.#pods.set(key, { node, keys })
    let counts = this.#counts.get(node)
    if (counts === undefined) this.#counts.set(node, (counts = new Map()))
    for (const each of keys) counts.set(each, (counts.get(each) ?? 0) + 1)
  }

  #forget(key: string): void {
    const known = this.#pods.get(key)
    if (known === undefined) return
    this.#pods.delete(key)
    const counts = this.#counts.get(known.node)!
    for (const each of known.keys) {
      const left = counts.get(each)! - 1
      if (left > 0) counts.set(each, left)
      else counts.delete(each)
    }
    if (counts.size === 0) this.#counts.delete(known.node)
  }
}
