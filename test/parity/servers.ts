/** The two servers of a comparison, with the same users, ranges and issuer, and no controllers but those of kube-apiserver. */
import { load } from 'js-yaml'
import { Pool } from 'undici'
import { startCluster } from '../../src/cluster/cluster.ts'
import { jsonLog } from '../../src/cluster/log.ts'
import { Runtime } from '../../src/cluster/runtime.ts'
import { flowSchemaStatusController } from '../../src/controllers/flowcontrol/status.ts'
import { memoryStore } from '../../src/store/memory.ts'
import { startControlPlane } from '../support/control-plane.ts'
import type { Answer, Fixture, Step } from './case.ts'
import { normalise, type RawAnswer } from './normalise.ts'

/** Connections to one server, and requests that it gets at the same time. */
export const CONCURRENCY = 16
const REQUEST_MILLISECONDS = 30_000
const RETRIES = 3

export interface Server extends AsyncDisposable {
  /** Sends the steps in order. Names in them are taken from `fixture` and from the answers. */
  run(steps: readonly Step[], fixture?: string): Promise<Answer[]>
  /** Makes a fixture once. */
  prepare(fixture: Fixture): Promise<Answer[]>
}

export async function startReal(programs: string): Promise<Server> {
  const plane = await startControlPlane({ programs, controllers: false })
  return new Connected(plane.kubeconfig, async () => plane[Symbol.asyncDispose]())
}

export async function startEmbedded(): Promise<Server> {
  const runtime = new Runtime({
    log: jsonLog((line) => process.stderr.write(line), 'error'),
    store: memoryStore(),
  })
  const cluster = await startCluster({
    runtime,
    id: 'cluster',
    name: 'parity',
    // What kube-apiserver does by itself.
    controllers: () => [flowSchemaStatusController],
    logs: () => {
      throw new Error('no logs')
    },
  })
  return new Connected(cluster.kubeconfig, async () => {
    await cluster.stop()
    await runtime.close()
  })
}

interface Seen {
  version: string
  uid: string
}

class Connected implements Server {
  readonly #pool: Pool
  readonly #stop: () => Promise<void>
  readonly #seen = new Map<string, Seen>()

  constructor(kubeconfig: string, stop: () => Promise<void>) {
    this.#stop = stop
    const config = load(kubeconfig) as {
      clusters: { cluster: Record<string, string> }[]
      users: { user: Record<string, string> }[]
    }
    const [cluster, user] = [config.clusters[0]!.cluster, config.users[0]!.user]
    const pem = (data: string) => Buffer.from(data, 'base64').toString()
    this.#pool = new Pool(cluster['server']!, {
      connections: CONCURRENCY,
      pipelining: 1,
      headersTimeout: REQUEST_MILLISECONDS,
      bodyTimeout: REQUEST_MILLISECONDS,
      connect: {
        ca: pem(cluster['certificate-authority-data']!),
        cert: pem(user['client-certificate-data']!),
        key: pem(user['client-key-data']!),
      },
    })
  }

  async prepare(fixture: Fixture): Promise<Answer[]> {
    const seen: Seen = { version: '', uid: '' }
    const answers = await this.#all(fixture.steps, seen)
    this.#seen.set(fixture.name, seen)
    return answers
  }

  async run(steps: readonly Step[], fixture?: string): Promise<Answer[]> {
    const from = fixture === undefined ? undefined : this.#seen.get(fixture)
    return this.#all(steps, { version: '', uid: '', ...from })
  }

  async #all(steps: readonly Step[], seen: Seen): Promise<Answer[]> {
    const out: Answer[] = []
    for (const step of steps) {
      const fill = (text: string) => text.replaceAll('$RV', seen.version).replaceAll('$UID', seen.uid)
      const content = step.base64 ?? step.text ?? (step.body === undefined ? undefined : JSON.stringify(step.body))
      const send = () => this.#send(step, fill(step.path), content === undefined ? undefined : fill(content))
      let raw = await send()
      // Kinds that a server's own controllers write, too: what is asked is not whether they were faster.
      for (let again = 0; again < RETRIES && lostRace(step, content, raw); again++) {
        const path = fill(step.path).replace(/(\/status)?(\?.*)?$/, '')
        remember((await this.#send({ method: 'GET', path }, path, undefined)).text, seen)
        raw = await send()
      }
      remember(raw.text, seen)
      out.push(normalise(raw, `${step.path} ${content ?? ''}`))
    }
    return out
  }

  async #send(step: Step, path: string, content: string | undefined): Promise<RawAnswer> {
    const body = step.base64 === undefined || content === undefined ? content : Buffer.from(content, 'base64')
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'parity', ...step.headers }
    if (body !== undefined) headers['content-type'] ??= step.type ?? 'application/json'
    try {
      const answer = await this.#pool.request({
        method: step.method,
        path,
        headers,
        ...(body !== undefined && { body }),
      })
      return { code: answer.statusCode, headers: answer.headers, text: await answer.body.text() }
    } catch (error) {
      return { code: 0, headers: {}, text: String(error) }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy()
    await this.#stop()
  }
}

/** Whether a write with the version that was read came after somebody else's. */
function lostRace({ method, path }: Step, content: string | undefined, { code, text }: RawAnswer): boolean {
  return (
    code === 409 &&
    method !== 'POST' &&
    `${path}${content ?? ''}`.includes('$RV') &&
    /modified|ResourceVersion in (the )?precondition/.test(text)
  )
}

function remember(text: string, seen: Seen): void {
  try {
    const object = JSON.parse(text) as { metadata?: { resourceVersion?: string; uid?: string } }
    if (object.metadata?.resourceVersion !== undefined) seen.version = object.metadata.resourceVersion
    if (object.metadata?.uid !== undefined) seen.uid = object.metadata.uid
  } catch {
    // No JSON, nothing to remember.
  }
}
