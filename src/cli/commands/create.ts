import type { Client } from '../../client/contract.ts'
import { resources } from '../../client/resources.ts'
import { isReason } from '../../machinery/status.ts'
import type { VirtualCluster } from '../../manager/virtual-cluster.ts'
import { hostOptions, integer, outputOption, text, type Command } from '../command.ts'
import { CliError, exitCodes, explain } from '../errors.ts'
import { openHost } from '../host.ts'
import { print, say } from '../output.ts'
import { namespaceOf, summary, waitFor } from '../virtual-clusters.ts'

export const command: Command = {
  name: 'create',
  summary: 'create a virtual cluster and wait until it answers',
  usage: 'create NAME [OPTIONS]',
  options: {
    ...hostOptions,
    engine: {
      type: 'string',
      value: 'ENGINE',
      description: 'packed (in the manager) or dedicated (own process)',
      default: 'packed',
      choices: ['packed', 'dedicated'],
    },
    placement: {
      type: 'string',
      value: 'MODE',
      description: 'namespaces (one on the host for each of the tenant) or single',
      default: 'namespaces',
      choices: ['namespaces', 'single'],
    },
    'node-view': {
      type: 'string',
      value: 'VIEW',
      description: 'nodes the tenant sees: needed or all',
      default: 'needed',
      choices: ['needed', 'all'],
    },
    weight: {
      type: 'string',
      value: 'N',
      description: 'share of the syncer beside other tenants, 1 to 100',
      default: '1',
    },
    timeout: { type: 'string', value: 'SECONDS', description: 'how long to wait', default: '60' },
    'no-wait': { type: 'boolean', description: 'return once the object exists' },
    ...outputOption,
  },
  words: [1, 1],
  examples: [
    'tenantry create team-a',
    'tenantry create team-b --engine dedicated --weight 5',
    'tenantry create ci --placement single --namespace ci',
  ],

  async run(input) {
    const name = input.words[0]!
    const namespace = namespaceOf(input)
    const weight = integer(input, 'weight', 1, 100)
    const timeout = integer(input, 'timeout', 1, 3600) ?? 60
    const started = Date.now()
    await using host = await openHost(input)
    const object: VirtualCluster = {
      apiVersion: 'tenantry.dev/v1alpha1',
      kind: 'VirtualCluster',
      metadata: { name, namespace },
      spec: {
        ...(text(input, 'engine') !== undefined && { engine: text(input, 'engine') }),
        ...(text(input, 'placement') !== undefined && { placement: text(input, 'placement') }),
        ...(text(input, 'node-view') !== undefined && { nodeView: text(input, 'node-view') }),
        ...(weight !== undefined && { weight }),
      } as VirtualCluster['spec'],
    }
    try {
      await ensureNamespace(host.client, namespace)
      await host.client.create(resources.virtualclusters, object, { namespace })
    } catch (error) {
      if (isReason(error, 'AlreadyExists')) {
        throw new CliError(
          `virtual cluster "${name}" exists already in namespace "${namespace}"`,
          exitCodes.failed,
          `Use it with "tenantry connect ${name}", or take another name.`,
        )
      }
      const missing = isReason(error, 'NotFound') && !(await managed(host.client))
      if (missing)
        throw new CliError(
          `cannot create virtual cluster "${name}": no manager runs on ${host.label}`,
          exitCodes.failed,
          'Start one with "tenantry manager --kubeconfig FILE".',
        )
      throw explain(error, `cannot create virtual cluster "${name}"`)
    }
    say(`virtual cluster "${name}" created (${Date.now() - started} ms)`)
    if (input.options['no-wait'] === true) return exitCodes.ok
    const running = await waitFor(host.client, namespace, name, timeout, `virtual cluster "${name}"`, (now) => {
      if (now?.status?.phase === 'Failed') {
        const ready = now.status.conditions?.find((c) => c.type === 'Ready')
        throw new CliError(
          `virtual cluster "${name}" failed: ${ready?.message ?? 'no reason given'}`,
          exitCodes.failed,
          `"tenantry delete ${name}" removes it.`,
        )
      }
      return now?.status?.phase === 'Running' ? now : undefined
    })
    say(`virtual cluster "${name}" answers at ${running.status!.endpoint!} (${Date.now() - started} ms)`)
    print(text(input, 'output'), summary(running), () => `${name}\n`)
    say(
      `go on with: tenantry connect ${name}${namespace === 'tenantry' ? '' : ` --namespace ${namespace}`} -- kubectl get namespaces`,
    )
    return exitCodes.ok
  },
}

async function ensureNamespace(host: Client, name: string): Promise<void> {
  try {
    await host.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error
  }
}

async function managed(host: Client): Promise<boolean> {
  try {
    await host.get(resources.customresourcedefinitions, 'virtualclusters.tenantry.dev')
    return true
  } catch {
    return false
  }
}
