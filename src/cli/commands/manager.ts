import { mkdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { resolve } from 'node:path'
import { jsonLog } from '../../cluster/log.ts'
import { integer, text, type Command } from '../command.ts'
import { CliError, exitCodes, explain } from '../errors.ts'
import { openHost } from '../host.ts'
import { say } from '../output.ts'
import { defaultDataDir } from '../paths.ts'
import { reachOf, reachOptions } from '../reach.ts'
import { interrupted } from '../signals.ts'
import { runOptions } from './up.ts'

export const command: Command = {
  name: 'manager',
  summary: 'run the manager against any Kubernetes as the host',
  usage: 'manager --kubeconfig FILE [OPTIONS]',
  options: {
    kubeconfig: { type: 'string', value: 'FILE', description: 'the host cluster', default: 'the current kubeconfig' },
    'data-dir': runOptions['data-dir']!,
    store: runOptions['store']!,
    ...reachOptions,
    'metrics-port': {
      type: 'string',
      value: 'N',
      description: 'serve metrics on this port of 127.0.0.1, at /metrics',
      default: 'not served',
    },
  },
  words: [0, 0],
  examples: [
    'tenantry manager --kubeconfig ~/.kube/config',
    'tenantry manager --kubeconfig host.kubeconfig --data-dir ./data',
  ],

  async run(input) {
    const dataDir = resolve(text(input, 'data-dir') ?? defaultDataDir())
    const store = (text(input, 'store') ?? 'sqlite') as 'sqlite' | 'memory'
    await using host = await openHost({ ...input, options: { kubeconfig: input.options['kubeconfig'] } })
    const [{ Runtime }, { openStore }, { createManager }] = await Promise.all([
      import('../../cluster/runtime.ts'),
      import('../../cluster/store.ts'),
      import('../../manager/local.ts'),
    ])
    const log = jsonLog((line) => process.stderr.write(line), 'info')
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const runtime = new Runtime({ log, store: await openStore({ store, dataDir }) })
    const manager = createManager({
      host: host.client,
      connection: host.connection,
      runtime,
      log,
      dataDir,
      store,
      reach: reachOf(input),
    })
    try {
      await manager.start()
    } catch (error) {
      throw explain(error, `cannot manage ${host.label}`)
    }
    const port = integer(input, 'metrics-port', 1, 65_535)
    const metrics = port === undefined ? undefined : await serveMetrics(port, () => runtime.registry.render())
    process.stdout.write(`manager is ready: host ${host.label}\n`)
    await interrupted()
    say('stopping …')
    metrics?.close()
    await manager.stop()
    await runtime.close()
    return exitCodes.ok
  },
}

/** Prometheus text on the loopback interface. */
async function serveMetrics(port: number, render: () => string): Promise<Server> {
  const server = createServer((request, response) => {
    const found = request.method === 'GET' && request.url === '/metrics'
    response.writeHead(found ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4' })
    response.end(found ? render() : 'metrics are at /metrics\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new CliError(`metrics cannot be served on port ${port}: ${error.message}`)))
    server.listen(port, '127.0.0.1', resolve)
  })
  return server
}
