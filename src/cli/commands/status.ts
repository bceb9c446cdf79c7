import { resources } from '../../client/resources.ts'
import type { Client } from '../../client/contract.ts'
import { labels } from '../../syncer/identity.ts'
import { hostOptions, outputOption, text, type Command } from '../command.ts'
import { explain } from '../errors.ts'
import { openHost } from '../host.ts'
import { print, table } from '../output.ts'
import { age, getVirtualCluster, namespaceOf, summary } from '../virtual-clusters.ts'

export const command: Command = {
  name: 'status',
  summary: 'show a virtual cluster, its conditions and what it has on the host',
  usage: 'status NAME [OPTIONS]',
  options: { ...hostOptions, ...outputOption },
  words: [1, 1],
  examples: ['tenantry status team-a', 'tenantry status team-a --output yaml'],

  async run(input) {
    const name = input.words[0]!
    await using host = await openHost(input)
    try {
      const object = await getVirtualCluster(host.client, namespaceOf(input), name)
      const onHost = await footprint(host.client, object.metadata.uid!)
      const conditions = object.status?.conditions ?? []
      print(text(input, 'output'), { ...summary(object), onHost }, () =>
        [
          `Name:       ${name}`,
          `Namespace:  ${object.metadata.namespace!}`,
          `Phase:      ${object.status?.phase ?? 'Pending'}`,
          `Endpoint:   ${object.status?.endpoint ?? '<none>'}`,
          `Engine:     ${object.spec.engine}`,
          `Placement:  ${object.spec.placement}`,
          `Node view:  ${object.spec.nodeView}`,
          `Weight:     ${object.spec.weight}`,
          `Age:        ${age(object)}`,
          `On host:    ${onHost.pods} pods, ${onHost.services} services, ${onHost.configMaps} config maps, ${onHost.secrets} secrets, ${onHost.namespaces.length} namespaces`,
          '',
          table(
            ['CONDITION', 'STATUS', 'REASON', 'MESSAGE'],
            conditions.map((c) => [c.type, c.status, c.reason, c.message]),
          ),
        ].join('\n'),
      )
      return 0
    } catch (error) {
      throw explain(error, `cannot show virtual cluster "${name}"`)
    }
  },
}

/** What of a cluster is on the host. */
async function footprint(host: Client, uid: string) {
  const labelSelector = `${labels.cluster}=${uid}`
  const [pods, services, configMaps, secrets, namespaces] = await Promise.all(
    (['pods', 'services', 'configmaps', 'secrets', 'namespaces'] as const).map((kind) =>
      host.list(resources[kind], { labelSelector }),
    ),
  )
  return {
    pods: pods!.items.length,
    services: services!.items.length,
    configMaps: configMaps!.items.length,
    secrets: secrets!.items.length,
    namespaces: namespaces!.items.map((n) => n.metadata.name!),
  }
}
