import { resources } from '../../client/resources.ts'
import type { VirtualCluster } from '../../manager/virtual-cluster.ts'
import { hostOptions, outputOption, text, type Command } from '../command.ts'
import { explain } from '../errors.ts'
import { openHost } from '../host.ts'
import { print, say, table } from '../output.ts'
import { age, summary } from '../virtual-clusters.ts'

export const command: Command = {
  name: 'list',
  summary: 'list the virtual clusters of a host',
  usage: 'list [OPTIONS]',
  options: { ...hostOptions, namespace: { ...hostOptions['namespace']!, default: 'all' }, ...outputOption },
  words: [0, 0],
  examples: ['tenantry list', 'tenantry list --output json'],

  async run(input) {
    await using host = await openHost(input)
    const namespace = text(input, 'namespace')
    const list = await host.client
      .list<VirtualCluster>(resources.virtualclusters, namespace === undefined ? {} : { namespace })
      .catch((error: unknown) => {
        throw explain(error, 'cannot list virtual clusters')
      })
    if (list.items.length === 0 && (text(input, 'output') ?? 'table') === 'table') {
      say('no virtual clusters; "tenantry create NAME" makes one')
      return 0
    }
    print(text(input, 'output'), list.items.map(summary), () =>
      table(
        ['NAME', 'NAMESPACE', 'PHASE', 'ENDPOINT', 'ENGINE', 'PLACEMENT', 'AGE'],
        list.items.map((vc) => [
          vc.metadata.name!,
          vc.metadata.namespace!,
          vc.status?.phase ?? 'Pending',
          vc.status?.endpoint ?? '<none>',
          vc.spec.engine,
          vc.spec.placement,
          age(vc),
        ]),
      ),
    )
    return 0
  },
}
