/** Short descriptions of the kinds that people ask `kubectl explain` about, and of their most used fields. */

interface Described {
  readonly about: string
  readonly fields?: Readonly<Record<string, string>>
}

const CORE = 'io.k8s.api.core.v1.'
const APPS = 'io.k8s.api.apps.v1.'
const BATCH = 'io.k8s.api.batch.v1.'
const NET = 'io.k8s.api.networking.v1.'
const RBAC = 'io.k8s.api.rbac.v1.'
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'

const workload = {
  replicas: 'How many pods are wanted.',
  selector: 'Which pods belong to it, by label.',
  template: 'What its pods look like.',
  minReadySeconds: 'Seconds a pod must be ready before it counts as available.',
  revisionHistoryLimit: 'How many old revisions are kept to roll back to.',
}

const DESCRIPTIONS: Readonly<Record<string, Described>> = {
  [`${CORE}Pod`]: { about: 'Containers that run together on one node and share its network and volumes.' },
  [`${CORE}PodSpec`]: {
    about: 'What a pod should run, and where.',
    fields: {
      containers: 'The containers of the pod; at least one.',
      initContainers: 'Containers that run to their end, one after the other, before the others start.',
      nodeName: 'The node it runs on. Set by the scheduler.',
      nodeSelector: 'Labels that a node must have.',
      restartPolicy: 'Whether ended containers start again: Always, OnFailure or Never.',
      serviceAccountName: 'The service account that the pod acts as.',
      tolerations: 'Taints of nodes that do not keep the pod away.',
      volumes: 'Volumes that containers can mount.',
      terminationGracePeriodSeconds: 'Seconds between the request to stop and the kill.',
      imagePullSecrets: 'Secrets with credentials for image registries.',
      hostNetwork: "Whether the pod uses its node's network.",
      priorityClassName: 'The class that says how important the pod is.',
      affinity: 'Rules that draw the pod to nodes and other pods or keep it away.',
    },
  },
  [`${CORE}PodStatus`]: {
    about: 'How a pod is, as last seen.',
    fields: { phase: 'Where the pod is in its life.', podIP: 'Its address.', conditions: 'What holds for it.' },
  },
  [`${CORE}Container`]: {
    about: 'One container of a pod.',
    fields: {
      name: 'Its name, unique in the pod.',
      image: 'The image that it runs.',
      command: "The program, instead of the image's entry point.",
      args: 'Arguments of the program.',
      env: 'Environment variables.',
      envFrom: 'ConfigMaps and Secrets whose keys become environment variables.',
      ports: 'Ports that the container listens on.',
      resources: 'Processor, memory and others that it asks for and may use.',
      volumeMounts: 'Where volumes appear in its file system.',
      livenessProbe: 'A check; when it fails the container is restarted.',
      readinessProbe: 'A check; while it fails the pod gets no traffic from services.',
      startupProbe: 'A check that holds back the others until it succeeds.',
      imagePullPolicy: 'When the image is pulled: Always, IfNotPresent or Never.',
      securityContext: 'Security settings of the container.',
      workingDir: 'The directory it starts in.',
    },
  },
  [`${CORE}Service`]: { about: 'A stable name and address for a set of pods.' },
  [`${CORE}ServiceSpec`]: {
    about: 'How a service is reached and what stands behind it.',
    fields: {
      selector: 'Labels of the pods that get its traffic.',
      ports: 'The ports it offers.',
      type: 'How far it reaches: ClusterIP, NodePort, LoadBalancer or ExternalName.',
      clusterIP: 'Its address inside the cluster. Allocated when empty; None for a headless service.',
      externalName: 'The DNS name it is an alias of.',
      sessionAffinity: 'Whether a client stays with one pod: None or ClientIP.',
    },
  },
  [`${CORE}ConfigMap`]: {
    about: 'Configuration for pods.',
    fields: {
      data: 'Text by key.',
      binaryData: 'Bytes by key, in base64.',
      immutable: 'Whether it can not be changed.',
    },
  },
  [`${CORE}Secret`]: {
    about: 'Confidential data for pods.',
    fields: {
      data: 'Bytes by key, in base64.',
      stringData: 'Text by key; merged into data on write, never shown.',
      type: 'What the secret is for.',
      immutable: 'Whether it can not be changed.',
    },
  },
  [`${CORE}Namespace`]: { about: 'A scope for names.' },
  [`${CORE}Node`]: { about: 'A machine that runs pods.' },
  [`${CORE}NodeSpec`]: {
    about: 'What is set for a node.',
    fields: {
      unschedulable: 'Whether no new pods come here.',
      taints: 'What keeps pods away that do not tolerate it.',
    },
  },
  [`${CORE}PersistentVolume`]: { about: 'Storage that the cluster offers.' },
  [`${CORE}PersistentVolumeClaim`]: { about: 'A request for storage.' },
  [`${CORE}ServiceAccount`]: { about: 'An identity for what runs in pods.' },
  [`${CORE}Event`]: { about: 'Something that happened to an object.' },
  [`${CORE}Endpoints`]: { about: 'Addresses behind a service. EndpointSlice has taken its place.' },
  [`${CORE}LimitRange`]: { about: 'Bounds and defaults for the resources of pods in a namespace.' },
  [`${CORE}ResourceQuota`]: { about: 'What a namespace may use in all.' },
  [`${CORE}ReplicationController`]: { about: 'Keeps a number of pods running. ReplicaSet has taken its place.' },
  [`${CORE}Volume`]: {
    about: 'A volume of a pod.',
    fields: {
      name: 'Its name, unique in the pod.',
      configMap: 'A ConfigMap as files.',
      secret: 'A Secret as files.',
      emptyDir: 'An empty directory that lives as long as the pod.',
    },
  },
  [`${APPS}Deployment`]: { about: 'Pods that are replaced step by step when their template changes.' },
  [`${APPS}DeploymentSpec`]: {
    about: 'What a deployment should be.',
    fields: {
      ...workload,
      strategy: 'How old pods are replaced by new ones.',
      paused: 'Whether changes of the template wait.',
    },
  },
  [`${APPS}ReplicaSet`]: { about: 'Keeps a number of equal pods running.' },
  [`${APPS}ReplicaSetSpec`]: { about: 'What a replica set should be.', fields: workload },
  [`${APPS}StatefulSet`]: { about: 'Pods with stable names and storage of their own.' },
  [`${APPS}StatefulSetSpec`]: {
    about: 'What a stateful set should be.',
    fields: {
      ...workload,
      serviceName: 'The headless service that names its pods.',
      volumeClaimTemplates: 'Claims that each pod gets.',
    },
  },
  [`${APPS}DaemonSet`]: { about: 'One pod on every node that fits.' },
  [`${APPS}DaemonSetSpec`]: { about: 'What a daemon set should be.', fields: workload },
  [`${APPS}ControllerRevision`]: { about: 'A kept revision of a stateful or daemon set.' },
  [`${BATCH}Job`]: { about: 'Pods that run until enough of them have succeeded.' },
  [`${BATCH}JobSpec`]: {
    about: 'What a job should do.',
    fields: {
      completions: 'How many pods must succeed.',
      parallelism: 'How many run at a time.',
      backoffLimit: 'Failures before the job fails.',
      template: 'What its pods look like.',
    },
  },
  [`${BATCH}CronJob`]: { about: 'Makes jobs by a schedule.' },
  [`${NET}Ingress`]: { about: 'Rules for HTTP traffic from outside to services.' },
  [`${NET}IngressClass`]: { about: 'Who implements ingresses.' },
  [`${NET}NetworkPolicy`]: { about: 'Which traffic pods may have.' },
  'io.k8s.api.policy.v1.PodDisruptionBudget': {
    about: 'How many pods of a set may be taken down at a time on purpose.',
  },
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler': { about: 'Changes the number of pods by measured load.' },
  'io.k8s.api.discovery.v1.EndpointSlice': { about: 'Some of the addresses behind a service.' },
  'io.k8s.api.coordination.v1.Lease': { about: 'A claim that somebody holds and renews.' },
  'io.k8s.api.scheduling.v1.PriorityClass': { about: 'A name for how important pods are.' },
  'io.k8s.api.storage.v1.StorageClass': { about: 'A kind of storage that claims can ask for.' },
  'io.k8s.api.node.v1.RuntimeClass': { about: 'A container runtime that pods can ask for.' },
  [`${RBAC}Role`]: { about: 'Permissions in one namespace.', fields: { rules: 'What is allowed.' } },
  [`${RBAC}ClusterRole`]: {
    about: 'Permissions in the whole cluster, or to be bound in namespaces.',
    fields: { rules: 'What is allowed.' },
  },
  [`${RBAC}RoleBinding`]: {
    about: 'Gives the permissions of a role to subjects, in one namespace.',
    fields: { roleRef: 'The role. It can not be changed.', subjects: 'Who gets it.' },
  },
  [`${RBAC}ClusterRoleBinding`]: {
    about: 'Gives the permissions of a cluster role to subjects, everywhere.',
    fields: { roleRef: 'The role. It can not be changed.', subjects: 'Who gets it.' },
  },
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition': {
    about: 'Makes a new resource known to the API.',
  },
  [`${META}ObjectMeta`]: {
    about: "Standard object's metadata: what every object has.",
    fields: {
      name: 'Unique among objects of its kind in its namespace.',
      namespace: 'The scope of the name.',
      labels: 'Key and value pairs that selectors look at.',
      annotations: 'Key and value pairs that tools keep with the object.',
      uid: 'Unique in time and space.',
      resourceVersion: 'Changes with every write; not to be interpreted.',
      creationTimestamp: 'CreationTimestamp is a timestamp of when the server stored it.',
      deletionTimestamp: 'When its deletion was asked for.',
      finalizers: 'What must be done before it is removed.',
      ownerReferences: 'Objects that it belongs to; it is deleted with them.',
      generateName: 'A prefix from which the server makes a name.',
      generation: 'Grows when the wanted state changes.',
    },
  },
}

/** Descriptions that hold for the field of this name in every kind. */
const COMMON: Readonly<Record<string, string>> = {
  apiVersion: 'APIVersion defines the group and version of the schema that the object is written in.',
  kind: 'The kind of the object.',
  metadata: "Standard object's metadata.",
  spec: 'The state that is wanted.',
  status: 'The state that was last seen.',
  items: 'The objects of the list.',
}

/** Of a type; undefined for most. */
export function typeDescription(type: string): string | undefined {
  return DESCRIPTIONS[type]?.about
}

/** Of a field; undefined for most. */
export function fieldDescription(type: string, field: string): string | undefined {
  const described = DESCRIPTIONS[type]?.fields
  return described !== undefined && Object.hasOwn(described, field)
    ? described[field]
    : Object.hasOwn(COMMON, field)
      ? COMMON[field]
      : undefined
}
