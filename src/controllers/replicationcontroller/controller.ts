/** The ReplicationController controller: the ReplicaSet's loop, with a selector that is a map. */
import { labelSelectorFromMap } from '../../machinery/selector/labels.ts'
import type { StringMap } from '../../machinery/object.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { replicaController } from '../replicaset/controller.ts'
import { workloads } from '../resources.ts'

export function replicationController(context: ControllerContext): Controller {
  return replicaController(context, {
    name: 'replicationcontroller',
    component: 'replication-controller',
    resource: workloads.replicationcontrollers,
    apiVersion: 'v1',
    selectorOf: (set) => labelSelectorFromMap(set.spec.selector as unknown as StringMap),
    countsTerminating: false,
  })
}
