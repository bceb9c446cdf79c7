import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Client } from '../../client/contract.ts'
import { HttpsClient } from '../../client/https.ts'
import { parseKubeconfig } from '../../client/kubeconfig.ts'
import { resources } from '../../client/resources.ts'
import { isReason } from '../../machinery/status.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { VirtualCluster } from '../../manager/virtual-cluster.ts'
import { application, demoNamespace } from '../demo-application.ts'
import { text, type Command } from '../command.ts'
import { CliError, exitCodes } from '../errors.ts'
import { table } from '../output.ts'
import { interrupted } from '../signals.ts'
import { DEFAULT_NAMESPACE, kubeconfigOf, waitFor } from '../virtual-clusters.ts'
import { runOptions, startUp, type Up } from './up.ts'

const NAMES = ['red', 'blue'] as const
const PODS_EACH = 4
const LIMIT = 60

export const command: Command = {
  name: 'demo',
  summary: 'the whole chain on this machine: a host, two virtual clusters, one application in both',
  usage: 'demo [--once] [OPTIONS]',
  options: {
    ...runOptions,
    'data-dir': { type: 'string', value: 'DIR', description: 'where state is kept', default: 'a temporary directory' },
    once: { type: 'boolean', description: 'end when everything runs' },
  },
  words: [0, 0],
  examples: ['npm start', 'npm start -- --once', 'tenantry demo --nodes 5'],

  async run(input) {
    const given = text(input, 'data-dir')
    const dataDir = given === undefined ? mkdtempSync(join(tmpdir(), 'tenantry-demo-')) : resolve(given)
    const started = performance.now()
    const step = (line: string) =>
      process.stdout.write(`${((performance.now() - started) / 1000).toFixed(2).padStart(6)} s  ${line}\n`)
    const ended = interrupted()
    const up = await startUp(input, dataDir)
    try {
      const nodes = await up.local.cluster.client.list(resources.nodes)
      step(`host cluster ${up.local.cluster.url} is up, ${nodes.items.length} simulated nodes`)
      await show(up, step)
      step('ready')
      process.stdout.write(await picture(up))
      if (input.options['once'] === true) return exitCodes.ok
      process.stdout.write(hints(up, dataDir, given !== undefined))
      await ended
      process.stdout.write('stopping …\n')
      return exitCodes.ok
    } finally {
      await up.stop()
      if (given === undefined) rmSync(dataDir, { recursive: true, force: true })
    }
  },
}

/** Creates both virtual clusters, deploys into each through its own API, and follows the pods on both sides. */
async function show(up: Up, step: (line: string) => void): Promise<void> {
  const host = up.local.cluster.client
  await create(host, resources.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: DEFAULT_NAMESPACE },
  })
  await Promise.all(
    NAMES.map(async (name) => {
      const object: KubeObject = {
        apiVersion: 'tenantry.dev/v1alpha1',
        kind: 'VirtualCluster',
        metadata: { name, namespace: DEFAULT_NAMESPACE },
      }
      await create(host, resources.virtualclusters, object)
      const running = await waitFor(host, DEFAULT_NAMESPACE, name, LIMIT, `virtual cluster "${name}"`, (vc) => {
        if (vc?.status?.phase === 'Failed')
          throw new CliError(`virtual cluster "${name}" failed: ${vc.status.conditions?.[0]?.message ?? ''}`)
        return vc?.status?.phase === 'Running' ? vc : undefined
      })
      step(`virtual cluster "${name}" answers at ${running.status!.endpoint!}`)
      await deploy(up, running, step)
    }),
  )
}

async function deploy(up: Up, object: VirtualCluster, step: (line: string) => void): Promise<void> {
  const name = object.metadata.name!
  const kubeconfig = await kubeconfigOf(up.local.cluster.client, object)
  writeFileSync(join(up.dataDir, `${name}.kubeconfig`), kubeconfig, { mode: 0o600 })
  const tenant = new HttpsClient(parseKubeconfig(kubeconfig))
  try {
    for (const [resource, part] of application) await create(tenant, resource, part)
    step(`"${name}": namespace, config map, secret, deployment of 3, service and a pod created through its own API`)
    await running(tenant, name, step)
  } finally {
    await tenant.close()
  }
}

async function create(client: Client, resource: (typeof application)[number][0], object: KubeObject): Promise<void> {
  try {
    await client.create(
      resource,
      object,
      object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace },
    )
  } catch (error) {
    // A data directory that was used before has it already.
    if (!isReason(error, 'AlreadyExists')) throw error
  }
}

/** Resolves when all pods of the application run, as the tenant sees it. */
async function running(tenant: Client, name: string, step: (line: string) => void): Promise<void> {
  const pods = tenant.informer(resources.pods, { namespace: demoNamespace })
  let stop: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  let told = -1
  try {
    await new Promise<void>((done, fail) => {
      timer = setTimeout(() => {
        const states = pods.list().map((p) => `${p.metadata.name!}=${p['status']?.phase}`)
        fail(
          new CliError(
            `"${name}": its pods do not run after ${LIMIT} s: ${states.join(', ') || 'there are none'}`,
            exitCodes.timeout,
          ),
        )
      }, LIMIT * 1000)
      stop = pods.onEvent(() => {
        const count = pods.list().filter((p) => p['status']?.phase === 'Running').length
        if (count > told) step(`"${name}": ${count} of ${PODS_EACH} pods run`)
        told = Math.max(told, count)
        if (count >= PODS_EACH) done()
      })
    })
  } finally {
    clearTimeout(timer)
    stop?.()
  }
}

/** Both sides, side by side. */
async function picture(up: Up): Promise<string> {
  const host = up.local.cluster.client
  const parts: string[] = []
  for (const name of NAMES) {
    const vc = await host.get<VirtualCluster>(resources.virtualclusters, name, { namespace: DEFAULT_NAMESPACE })
    const tenant = new HttpsClient(parseKubeconfig(await kubeconfigOf(host, vc)))
    try {
      const pods = await tenant.list(resources.pods, { namespace: demoNamespace })
      const rows = pods.items.map((p) => [
        p.metadata.name!,
        String(p['status'].phase),
        String(p['status'].podIP),
        String(p['spec'].nodeName),
      ])
      parts.push(
        `\nAs "${name}" sees it (namespace ${demoNamespace}):\n${table(['POD', 'STATUS', 'IP', 'NODE'], rows)}`,
      )
    } finally {
      await tenant.close()
    }
  }
  const onHost = await host.list(resources.pods, { labelSelector: 'tenantry.dev/managed-by=tenantry' })
  const rows = onHost.items.map((p) => [
    p.metadata.namespace!,
    p.metadata.name!,
    String(p['status'].phase),
    String(p['spec'].nodeName),
    p.metadata.annotations!['tenantry.dev/cluster']!.split('/')[1]!,
  ])
  parts.push(`\nAs the host sees it:\n${table(['NAMESPACE', 'POD', 'STATUS', 'NODE', 'TENANT'], rows)}`)
  return parts.join('')
}

function hints(up: Up, dataDir: string, kept: boolean): string {
  return `
Go on from another terminal:
  npx tenantry list
  npx tenantry connect red -- kubectl get pods -A
  kubectl --kubeconfig ${join(dataDir, 'red.kubeconfig')} get all -n ${demoNamespace}
  kubectl --kubeconfig ${up.kubeconfig} get virtualclusters -A     (the host)

Ctrl-C stops everything${kept ? '; the data directory stays' : ' and removes its data'}.
`
}
