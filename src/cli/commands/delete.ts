import { resources } from '../../client/resources.ts'
import { hostOptions, integer, type Command } from '../command.ts'
import { explain } from '../errors.ts'
import { openHost } from '../host.ts'
import { say } from '../output.ts'
import { getVirtualCluster, namespaceOf, waitFor } from '../virtual-clusters.ts'

export const command: Command = {
  name: 'delete',
  summary: 'delete a virtual cluster with everything it has on the host',
  usage: 'delete NAME [OPTIONS]',
  options: {
    ...hostOptions,
    timeout: { type: 'string', value: 'SECONDS', description: 'how long to wait', default: '120' },
    'no-wait': { type: 'boolean', description: 'return once deletion has begun' },
  },
  words: [1, 1],
  examples: ['tenantry delete team-a', 'tenantry delete team-a --no-wait'],

  async run(input) {
    const name = input.words[0]!
    const namespace = namespaceOf(input)
    const timeout = integer(input, 'timeout', 1, 3600) ?? 120
    await using host = await openHost(input)
    const started = Date.now()
    try {
      const object = await getVirtualCluster(host.client, namespace, name)
      await host.client.delete(resources.virtualclusters, name, {
        namespace,
        preconditions: { uid: object.metadata.uid! },
      })
      if (input.options['no-wait'] === true) {
        say(`virtual cluster "${name}" is being deleted`)
        return 0
      }
      await waitFor(host.client, namespace, name, timeout, `deletion of virtual cluster "${name}"`, (now) =>
        now === undefined || now.metadata.uid !== object.metadata.uid ? true : undefined,
      )
    } catch (error) {
      throw explain(error, `cannot delete virtual cluster "${name}"`)
    }
    say(`virtual cluster "${name}" deleted (${Date.now() - started} ms)`)
    return 0
  },
}
