/** Texts beside a VirtualCluster that its spec names: read when it is looked at, followed as long as it names them. */
import type { Client } from '../client/contract.ts'
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { KeyReference, TextSource } from './virtual-cluster.ts'

/** There is no such text. */
export class ReferenceError extends Error {}

interface Followed {
  readonly id: string
  /** What was read last. */
  text: string | undefined
  stop: () => void
}

export class References {
  readonly #host: Client
  readonly #onChange: (uid: string) => void
  /** By uid of the virtual cluster. */
  readonly #followed = new Map<string, Followed>()

  /** `onChange` is called with the uid of a virtual cluster whose text is another one now, or is there or gone. */
  constructor(host: Client, onChange: (uid: string) => void) {
    this.#host = host
    this.#onChange = onChange
  }

  /** Follows what a virtual cluster names now, and nothing that it named before. @throws ReferenceError */
  async read(uid: string, namespace: string, source: TextSource): Promise<string> {
    const [kind, { name, key }] = whichOf(source)
    const id = JSON.stringify([kind, namespace, name, key])
    const resource = kind === 'Secret' ? resources.secrets : resources.configmaps
    const informer = this.#host.informer(resource, { namespace, fieldSelector: `metadata.name=${name}` })
    await informer.ready()
    const object = informer.get(namespace, name)
    const text = object === undefined ? undefined : textOf(object, kind, key)
    let followed = this.#followed.get(uid)
    if (followed?.id !== id) {
      this.forget(uid)
      followed = { id, text, stop: () => undefined }
      this.#followed.set(uid, followed)
      followed.stop = informer.onEvent(({ type, object: changed }) => {
        const { metadata } = changed
        if (metadata.namespace !== namespace || metadata.name !== name) return
        const now = type === 'delete' ? undefined : textOf(changed, kind, key)
        if (now !== this.#followed.get(uid)?.text) this.#onChange(uid)
      })
    }
    followed.text = text
    if (object === undefined) throw new ReferenceError(`${kind} ${JSON.stringify(name)} not found`)
    if (text === undefined)
      throw new ReferenceError(`${kind} ${JSON.stringify(name)} has no key ${JSON.stringify(key)}`)
    return text
  }

  forget(uid: string): void {
    this.#followed.get(uid)?.stop()
    this.#followed.delete(uid)
  }

  close(): void {
    for (const uid of this.#followed.keys()) this.forget(uid)
  }
}

function whichOf({ configMapKeyRef, secretKeyRef }: TextSource): readonly ['Secret' | 'ConfigMap', KeyReference] {
  if (secretKeyRef !== undefined && configMapKeyRef === undefined) return ['Secret', secretKeyRef]
  if (configMapKeyRef !== undefined && secretKeyRef === undefined) return ['ConfigMap', configMapKeyRef]
  throw new ReferenceError('exactly one of configMapKeyRef and secretKeyRef must be set')
}

function textOf(object: KubeObject, kind: 'Secret' | 'ConfigMap', key: string): string | undefined {
  const data = (object['data'] ?? {}) as Record<string, string>
  if (!Object.hasOwn(data, key)) return undefined
  return kind === 'Secret' ? Buffer.from(data[key]!, 'base64').toString('utf8') : data[key]
}
