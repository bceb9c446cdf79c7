/** The parts of DaemonSets that their controller reads and writes. */
import type { KubeObject } from '../../machinery/object.ts'
import type { Condition, LabelSelectorObject, PodTemplate } from '../objects.ts'

export interface DaemonSet extends KubeObject {
  spec: {
    selector: LabelSelectorObject
    template: PodTemplate
    minReadySeconds?: number
    revisionHistoryLimit?: number
    updateStrategy?: {
      type?: string
      rollingUpdate?: { maxUnavailable?: number | string; maxSurge?: number | string }
    }
  }
  status?: DaemonSetStatus
}

export interface DaemonSetStatus {
  currentNumberScheduled: number
  numberMisscheduled: number
  desiredNumberScheduled: number
  numberReady: number
  observedGeneration?: number
  updatedNumberScheduled?: number
  numberAvailable?: number
  numberUnavailable?: number
  collisionCount?: number
  conditions?: Condition[]
}
