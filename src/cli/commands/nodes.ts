import { ControllerEngine } from '../../controllers/engine.ts'
import { nodeControllers } from '../../controllers/sets.ts'
import { jsonLog } from '../../cluster/log.ts'
import { integer, type Command } from '../command.ts'
import { exitCodes } from '../errors.ts'
import { openHost } from '../host.ts'
import { interrupted } from '../signals.ts'

export const command: Command = {
  name: 'nodes',
  summary: 'join simulated nodes to any cluster',
  usage: 'nodes --kubeconfig FILE [--nodes N]',
  options: {
    kubeconfig: { type: 'string', value: 'FILE', description: 'the cluster', default: 'the current kubeconfig' },
    nodes: { type: 'string', value: 'N', description: 'how many', default: '3' },
  },
  words: [0, 0],
  examples: ['tenantry nodes --kubeconfig host.kubeconfig --nodes 20'],

  async run(input) {
    const nodes = integer(input, 'nodes', 1, 10_000) ?? 3
    await using host = await openHost({ ...input, options: { kubeconfig: input.options['kubeconfig'] } })
    const log = jsonLog((line) => process.stderr.write(line), 'info')
    const engine = new ControllerEngine({ log })
    const running = engine.add({ id: 'nodes', client: host.client }, nodeControllers({ nodes }))
    process.stdout.write(`${nodes} simulated nodes are joining ${host.label}\n`)
    await interrupted()
    running.stop()
    await engine.close()
    return exitCodes.ok
  },
}
