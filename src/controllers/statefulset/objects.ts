/** The parts of StatefulSets that their controller reads and writes. */
import type { KubeObject, StringMap } from '../../machinery/object.ts'
import type { Condition, LabelSelectorObject, PodTemplate } from '../objects.ts'

export interface Claim extends KubeObject {
  spec?: object
}

export interface StatefulSet extends KubeObject {
  spec: {
    replicas?: number
    serviceName?: string
    podManagementPolicy?: string
    minReadySeconds?: number
    revisionHistoryLimit?: number
    ordinals?: { start?: number }
    selector: LabelSelectorObject & { matchLabels?: StringMap }
    template: PodTemplate
    updateStrategy?: { type?: string; rollingUpdate?: { partition?: number; maxUnavailable?: number | string } }
    volumeClaimTemplates?: Claim[]
    persistentVolumeClaimRetentionPolicy?: { whenDeleted?: string; whenScaled?: string }
  }
  status?: StatefulSetStatus
}

export interface StatefulSetStatus {
  observedGeneration?: number
  replicas: number
  readyReplicas?: number
  currentReplicas?: number
  updatedReplicas?: number
  availableReplicas: number
  currentRevision?: string
  updateRevision?: string
  collisionCount?: number
  conditions?: Condition[]
}
