/** Tells in the status of FlowSchemas whether their priority level is there. */
import type { Resource } from '../../client/contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { isReason } from '../../machinery/status.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { timestamp } from '../meta.ts'
import type { Condition } from '../objects.ts'

const group = 'flowcontrol.apiserver.k8s.io'
const SCHEMAS: Resource = { group, version: 'v1', resource: 'flowschemas', kind: 'FlowSchema', namespaced: false }
const LEVELS: Resource = {
  group,
  version: 'v1',
  resource: 'prioritylevelconfigurations',
  kind: 'PriorityLevelConfiguration',
  namespaced: false,
}
const MANAGER = 'api-priority-and-fairness-config-consumer-v1'

interface FlowSchema extends KubeObject {
  readonly spec: { readonly priorityLevelConfiguration: { readonly name: string } }
  readonly status?: { readonly conditions?: readonly Condition[] }
}

/** Keys are names of schemas. Those of the bootstrap have their status from the start. */
export function flowSchemaStatusController(context: ControllerContext): Controller {
  const { client } = context
  const schemas = client.informer<FlowSchema>(SCHEMAS)
  const levels = client.informer(LEVELS)
  const condition = ({ spec }: FlowSchema): Condition => {
    const { name } = spec.priorityLevelConfiguration
    const found = levels.get('', name) !== undefined
    const what = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(name)}`
    return {
      type: 'Dangling',
      status: found ? 'False' : 'True',
      reason: found ? 'Found' : 'NotFound',
      message: found ? `${what} and it exists` : `${what} but there is no such object`,
    }
  }
  const isTold = (schema: FlowSchema): boolean => {
    const told = schema.status?.conditions?.find(({ type }) => type === 'Dangling')
    const now = condition(schema)
    return told?.status === now.status && told.reason === now.reason && told.message === now.message
  }
  return {
    name: 'flow-schema-status',
    start() {
      schemas.onEvent(({ type, object }) => {
        // The first revision is the bootstrap's.
        if (type !== 'delete' && object.metadata.resourceVersion !== '1') context.enqueue(object.metadata.name!)
      })
      levels.onEvent(({ type, object }) => {
        if (type === 'update') return
        for (const schema of schemas.list())
          if (schema.spec.priorityLevelConfiguration.name === object.metadata.name)
            context.enqueue(schema.metadata.name!)
      })
    },
    async reconcile(name) {
      if (!levels.synced) await levels.ready()
      const schema = schemas.get('', name)
      if (schema === undefined || isTold(schema)) return
      const lastTransitionTime = timestamp(context.now())
      const body = {
        kind: SCHEMAS.kind,
        apiVersion: `${group}/v1`,
        metadata: { name },
        status: { conditions: [{ ...condition(schema), lastTransitionTime }] },
      }
      const query = { subresource: 'status', fieldManager: MANAGER }
      try {
        await client.patch(SCHEMAS, name, { type: 'apply', body, force: true }, query)
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
    },
  }
}
