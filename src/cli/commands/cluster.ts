import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { HostLoops } from '../../controllers/sets.ts'
import { jsonLog } from '../../cluster/log.ts'
import { openStore } from '../../cluster/store.ts'
import { integer, text, type Command } from '../command.ts'
import { authenticationOf, authenticationOptions } from '../authentication.ts'
import { auditOf, auditOptions } from '../audit.ts'
import { exitCodes } from '../errors.ts'
import { reachOf, reachOptions } from '../reach.ts'
import { interrupted } from '../signals.ts'
import { runOptions } from './up.ts'

export const command: Command = {
  name: 'cluster',
  summary: 'run one embedded cluster by itself, without a manager',
  usage: 'cluster [OPTIONS]',
  options: {
    ...runOptions,
    'data-dir': { type: 'string', value: 'DIR', description: 'where state is kept', default: 'a temporary directory' },
    address: { type: 'string', value: 'IP', description: 'address to listen on', default: '127.0.0.1' },
    name: { type: 'string', value: 'NAME', description: 'name in certificates and kubeconfig', default: 'tenantry' },
    role: {
      type: 'string',
      value: 'ROLE',
      description: 'host (scheduler and simulated nodes) or virtual (pods run elsewhere)',
      default: 'host',
      choices: ['host', 'virtual'],
    },
    controllers: {
      type: 'string',
      value: 'WHICH',
      description: 'of a host: all, nodes (simulated nodes alone, for a kube-controller-manager of yours), or none',
      default: 'all',
      choices: ['all', 'nodes', 'none'],
    },
    'bootstrap-signer': {
      type: 'boolean',
      description: 'sign the ConfigMap cluster-info of kube-public with bootstrap tokens',
    },
    ...reachOptions,
    ...authenticationOptions,
    ...auditOptions,
    'write-kubeconfig': { type: 'string', value: 'FILE', description: 'write the admin kubeconfig there' },
  },
  words: [0, 0],
  examples: [
    'tenantry cluster --store memory --write-kubeconfig kubeconfig',
    'tenantry cluster --data-dir ./data --port 7443 --nodes 10',
    'tenantry cluster --controllers nodes --write-kubeconfig kubeconfig',
    'tenantry cluster --audit-policy-file policy.yaml --audit-log-path audit.log',
  ],

  async run(input) {
    const given = text(input, 'data-dir')
    const dataDir = given === undefined ? mkdtempSync(join(tmpdir(), 'tenantry-')) : resolve(given)
    const nodes = integer(input, 'nodes', 0, 10_000) ?? 3
    const loops = (text(input, 'controllers') ?? 'all') as HostLoops
    const port = integer(input, 'port', 0, 65_535)
    const address = text(input, 'address')
    const virtual = text(input, 'role') === 'virtual'
    // The database's thread comes up while the rest is read, which takes this one.
    const opening = openStore({ store: (text(input, 'store') ?? 'sqlite') as 'sqlite' | 'memory', dataDir })
    await Promise.race([opening, nextTurn()])
    const [{ startCluster }, { Runtime }, { hostControllers, virtualControllers }, { simulatedNodes }] =
      await Promise.all([
        import('../../cluster/cluster.ts'),
        import('../../cluster/runtime.ts'),
        import('../../controllers/sets.ts'),
        import('../../cluster/simulated.ts'),
      ])
    const child = process.send === undefined ? undefined : await import('../child.ts')
    const runtime = new Runtime({ log: jsonLog((line) => process.stderr.write(line), 'warn'), store: await opening })
    const manager = virtual ? child?.parent() : undefined
    const audit = await auditOf(input, runtime.log)
    const cluster = await startCluster({
      runtime,
      ...(audit !== undefined && { audit }),
      ...(await authenticationOf(input)),
      id: 'cluster',
      name: text(input, 'name') ?? 'tenantry',
      ...(port !== undefined && { port }),
      ...(address !== undefined && { address }),
      ...(virtual && { reach: reachOf(input) }),
      controllers: (found) => {
        const facts = { ...found, bootstrapSigner: input.options['bootstrap-signer'] === true }
        return virtual ? virtualControllers(facts) : hostControllers({ ...facts, nodes }, loops)
      },
      ...simulatedNodes(runtime.now),
      ...(manager !== undefined && {
        services: manager.connections.services,
        logs: manager.logs,
        elsewhere: manager.connections,
      }),
    })
    const file = text(input, 'write-kubeconfig')
    if (file !== undefined) writeFileSync(file, cluster.kubeconfig, { mode: 0o600 })
    process.stdout.write(`cluster is ready: ${cluster.url}${file === undefined ? '' : `, kubeconfig ${file}`}\n`)
    // What starting has left behind is given back once, if the one who started this process allows it.
    if (virtual)
      setTimeout(
        () => (globalThis as { gc?: (how: object) => void }).gc?.({ type: 'major', flavor: 'last-resort' }),
        500,
      ).unref()
    await (child === undefined
      ? interrupted()
      : Promise.race([interrupted(), new Promise<void>((end) => child.followParent(end))]))
    await cluster.stop()
    await runtime.close()
    await audit?.output.close()
    child?.letGo()
    if (given === undefined) rmSync(dataDir, { recursive: true, force: true })
    return exitCodes.ok
  },
}
