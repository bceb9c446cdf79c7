/** The parts of built-in objects that the controllers read and write. Other fields pass through untouched. */
import type { KubeObject, ObjectMeta, StringMap } from '../machinery/object.ts'

export interface LabelSelectorObject {
  matchLabels?: StringMap
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

export interface Condition {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
  lastUpdateTime?: string
  lastProbeTime?: string | null
  lastHeartbeatTime?: string
  observedGeneration?: number
}

export interface Toleration {
  key?: string
  operator?: string
  value?: string
  effect?: string
  tolerationSeconds?: number
}

export interface Taint {
  key: string
  value?: string
  effect: string
}

export interface NodeSelectorTerm {
  matchExpressions?: NodeRequirement[]
  matchFields?: NodeRequirement[]
}

export interface NodeRequirement {
  key: string
  operator: string
  values?: string[]
}

export interface PodAffinityTerm {
  labelSelector?: LabelSelectorObject
  namespaceSelector?: LabelSelectorObject
  namespaces?: string[]
  topologyKey: string
  matchLabelKeys?: string[]
  mismatchLabelKeys?: string[]
}

export interface PodAffinity {
  requiredDuringSchedulingIgnoredDuringExecution?: PodAffinityTerm[]
  preferredDuringSchedulingIgnoredDuringExecution?: { weight: number; podAffinityTerm: PodAffinityTerm }[]
}

export interface TopologySpreadConstraint {
  maxSkew: number
  topologyKey: string
  whenUnsatisfiable: string
  labelSelector?: LabelSelectorObject
  minDomains?: number
  nodeAffinityPolicy?: string
  nodeTaintsPolicy?: string
  matchLabelKeys?: string[]
}

export interface ContainerPort {
  name?: string
  containerPort: number
  hostPort?: number
  hostIP?: string
  protocol?: string
}

export interface Container {
  name: string
  image?: string
  command?: string[]
  args?: string[]
  stdin?: boolean
  ports?: ContainerPort[]
  restartPolicy?: string
  readinessProbe?: { initialDelaySeconds?: number }
  startupProbe?: { initialDelaySeconds?: number }
  resources?: { requests?: StringMap; limits?: StringMap }
}

export interface PodSpec {
  nodeName?: string
  schedulerName?: string
  hostname?: string
  subdomain?: string
  hostNetwork?: boolean
  restartPolicy?: string
  terminationGracePeriodSeconds?: number
  activeDeadlineSeconds?: number
  containers: Container[]
  initContainers?: Container[]
  nodeSelector?: StringMap
  tolerations?: Toleration[]
  overhead?: StringMap
  priority?: number
  preemptionPolicy?: string
  schedulingGates?: { name: string }[]
  readinessGates?: { conditionType: string }[]
  resources?: { requests?: StringMap }
  topologySpreadConstraints?: TopologySpreadConstraint[]
  affinity?: {
    nodeAffinity?: {
      requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: NodeSelectorTerm[] }
      preferredDuringSchedulingIgnoredDuringExecution?: { weight: number; preference: NodeSelectorTerm }[]
    }
    podAffinity?: PodAffinity
    podAntiAffinity?: PodAffinity
  }
}

export interface ContainerState {
  waiting?: { reason?: string; message?: string }
  running?: { startedAt?: string }
  terminated?: {
    exitCode: number
    signal?: number
    reason?: string
    message?: string
    startedAt?: string
    finishedAt?: string
    containerID?: string
  }
}

export interface ContainerStatus {
  name: string
  image: string
  imageID: string
  containerID?: string
  ready: boolean
  started?: boolean
  restartCount: number
  state?: ContainerState
  lastState?: ContainerState
}

export interface PodStatus {
  observedGeneration?: number
  phase?: string
  reason?: string
  message?: string
  hostIP?: string
  hostIPs?: { ip: string }[]
  podIP?: string
  podIPs?: { ip: string }[]
  startTime?: string
  qosClass?: string
  nominatedNodeName?: string
  conditions?: Condition[]
  initContainerStatuses?: ContainerStatus[]
  containerStatuses?: ContainerStatus[]
}

export interface Pod extends KubeObject {
  spec: PodSpec
  status?: PodStatus
}

export interface PodTemplate {
  metadata?: ObjectMeta
  spec: PodSpec
}

export interface Node extends KubeObject {
  spec?: { unschedulable?: boolean; taints?: Taint[]; podCIDR?: string; podCIDRs?: string[]; providerID?: string }
  status?: {
    capacity?: StringMap
    allocatable?: StringMap
    conditions?: Condition[]
    addresses?: { type: string; address: string }[]
    daemonEndpoints?: { kubeletEndpoint?: { Port: number } }
    nodeInfo?: StringMap
  }
}

export interface ReplicaSet extends KubeObject {
  spec: { replicas?: number; minReadySeconds?: number; selector: LabelSelectorObject; template: PodTemplate }
  status?: ReplicaSetStatus
}

export interface ReplicaSetStatus {
  replicas: number
  fullyLabeledReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
  terminatingReplicas?: number
  observedGeneration?: number
  conditions?: Condition[]
}

export interface RollingUpdate {
  maxSurge?: number | string
  maxUnavailable?: number | string
}

export interface Deployment extends KubeObject {
  spec: {
    replicas?: number
    minReadySeconds?: number
    selector: LabelSelectorObject
    template: PodTemplate
    strategy?: { type?: string; rollingUpdate?: RollingUpdate }
    revisionHistoryLimit?: number
    progressDeadlineSeconds?: number
    paused?: boolean
  }
  status?: DeploymentStatus
}

export interface DeploymentStatus {
  observedGeneration?: number
  replicas?: number
  updatedReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
  unavailableReplicas?: number
  terminatingReplicas?: number
  collisionCount?: number
  conditions?: Condition[]
}

export interface ServicePort {
  name?: string
  port: number
  targetPort?: number | string
  protocol?: string
  appProtocol?: string
}

export interface Service extends KubeObject {
  spec: {
    type?: string
    clusterIP?: string
    clusterIPs?: string[]
    ipFamilies?: string[]
    selector?: StringMap
    ports?: ServicePort[]
    publishNotReadyAddresses?: boolean
    trafficDistribution?: string
  }
}

export interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] }
  status?: { phase?: string; conditions?: Condition[] }
}
