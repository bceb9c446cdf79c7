/**
 * A cluster for upstream's tests of admission webhooks. Their webhook server is a pod, which has no container on simulated
 * nodes: it runs beside, once for each namespace, and the cluster's Services are resolved to it.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Address } from '../../src/apiserver/dial/contract.ts'
import { resources } from '../../src/client/resources.ts'
import { startCluster } from '../../src/cluster/cluster.ts'
import { silent } from '../../src/cluster/log.ts'
import { Runtime } from '../../src/cluster/runtime.ts'
import { hostControllers } from '../../src/controllers/sets.ts'
import { memoryStore } from '../../src/store/memory.ts'
import { eventually } from '../support/eventually.ts'
import { kubernetesDir } from '../support/kubernetes.ts'
import { freePort } from '../support/processes.ts'

/** The Secret with the server's certificate, as the tests make it. */
const SECRET = 'sample-webhook-secret'

export async function startWithWebhooks(dir: string, nodes: number): Promise<{ kubeconfig: string } & AsyncDisposable> {
  mkdirSync(dir, { recursive: true })
  const runtime = new Runtime({ log: silent, store: memoryStore() })
  const children: ChildProcess[] = []
  const known = new Map<string, Promise<Address>>()

  const start = async (namespace: string): Promise<Address> => {
    const { data } = (await cluster.client.get(resources.secrets, SECRET, { namespace })) as unknown as {
      data: Record<string, string>
    }
    const file = (name: string) => {
      const path = join(dir, `${namespace}-${name}`)
      writeFileSync(path, Buffer.from(data[name]!, 'base64'), { mode: 0o600 })
      return path
    }
    const files = [`--tls-cert-file=${file('tls.crt')}`, `--tls-private-key-file=${file('tls.key')}`]
    // Another program may be given the free port meanwhile: this one ends then.
    for (;;) {
      const port = await freePort()
      const child = spawn(join(kubernetesDir(), 'webhook'), [...files, `--port=${port}`], { stdio: 'ignore' })
      children.push(child)
      await eventually(`the webhook server of ${namespace} listens`, async () => {
        return child.exitCode !== null || (await listens(port))
      })
      await sleep(100)
      if (child.exitCode === null) return { host: '127.0.0.1', port }
    }
  }
  const cluster = await startCluster({
    runtime,
    id: 'host',
    name: 'host',
    logs: () => '',
    controllers: (facts) => hostControllers({ ...facts, nodes }),
    services: {
      resolve(namespace) {
        let found = known.get(namespace)
        if (found === undefined) {
          known.set(namespace, (found = start(namespace)))
          found.catch(() => known.delete(namespace))
        }
        return found
      },
    },
  })
  const kubeconfig = join(dir, 'kubeconfig')
  writeFileSync(kubeconfig, cluster.kubeconfig, { mode: 0o600 })
  return {
    kubeconfig,
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill()
      await cluster.stop()
      await runtime.close()
    },
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
