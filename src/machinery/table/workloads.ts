/** Tables of what makes pods: apps, batch, autoscaling, policy. */
import { TEMPLATE_GENERATION } from '../kinds/apps/daemonset.ts'
import { ageOf, humanDuration } from '../duration.ts'
import type { KubeObject } from '../object.ts'
import {
  age,
  containerCells,
  int,
  isTrue,
  labelsText,
  list,
  nameOf,
  ratio,
  selectorText,
  simple,
  text,
} from './cells.ts'
import { columns, wide } from './contract.ts'
import type { TableDefinition } from './contract.ts'

const integer = (...names: readonly string[]) => names.map((name) => [name, 'integer'] as const)
const podSpec = (object: KubeObject) => object['spec']?.template?.spec as { containers?: [] } | undefined

export const deploymentTable: TableDefinition = {
  columns: columns('Name', 'Ready', 'Up-to-date', 'Available', 'Age', ...wide('Containers', 'Images', 'Selector')),
  cells: (object, now) => [
    nameOf(object),
    ratio(object['status']?.readyReplicas as number | undefined, object['spec']?.replicas as number | undefined),
    int(object['status']?.updatedReplicas as number | undefined),
    int(object['status']?.availableReplicas as number | undefined),
    age(object, now),
    ...containerCells(podSpec(object)),
    selectorText(object['spec']?.selector, '', '<invalid>'),
  ],
}

function replicas(selector: (object: KubeObject) => string): TableDefinition {
  return {
    columns: columns(
      'Name',
      ...integer('Desired', 'Current', 'Ready'),
      'Age',
      ...wide('Containers', 'Images', 'Selector'),
    ),
    cells: (object, now) => [
      nameOf(object),
      int(object['spec']?.replicas as number | undefined),
      int(object['status']?.replicas as number | undefined),
      int(object['status']?.readyReplicas as number | undefined),
      age(object, now),
      ...containerCells(podSpec(object)),
      selector(object),
    ],
  }
}

export const replicaSetTable = replicas((object) => selectorText(object['spec']?.selector))
export const replicationControllerTable = replicas((object) => labelsText(object['spec']?.selector))

export const statefulSetTable: TableDefinition = {
  columns: columns('Name', 'Ready', 'Age', ...wide('Containers', 'Images')),
  cells: (object, now) => [
    nameOf(object),
    ratio(object['status']?.readyReplicas as number | undefined, object['spec']?.replicas as number | undefined),
    age(object, now),
    ...containerCells(podSpec(object)),
  ],
}

export const daemonSetTable: TableDefinition = {
  internal: (object) => {
    const { annotations: { [TEMPLATE_GENERATION]: _number, ...annotations } = {}, ...metadata } = object.metadata
    return { ...object, metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations } }
  },
  columns: columns(
    'Name',
    ...integer('Desired', 'Current', 'Ready', 'Up-to-date', 'Available'),
    'Node Selector',
    'Age',
    ...wide('Containers', 'Images', 'Selector'),
  ),
  cells: (object, now) => [
    nameOf(object),
    ...[
      'desiredNumberScheduled',
      'currentNumberScheduled',
      'numberReady',
      'updatedNumberScheduled',
      'numberAvailable',
    ].map((field) => int(object['status']?.[field] as number | undefined)),
    labelsText(object['spec']?.template?.spec?.nodeSelector),
    age(object, now),
    ...containerCells(podSpec(object)),
    selectorText(object['spec']?.selector),
  ],
}

function jobStatus(job: KubeObject): string {
  const conditions = job['status']?.conditions
  if (isTrue(conditions, 'Complete')) return 'Complete'
  if (isTrue(conditions, 'Failed')) return 'Failed'
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find((type) => isTrue(conditions, type)) ?? 'Running'
}

function completions(job: KubeObject): string {
  const done = int(job['status']?.succeeded as number | undefined)
  const wanted = job['spec']?.completions as number | undefined
  if (wanted !== undefined) return `${done}/${wanted}`
  const parallelism = int(job['spec']?.parallelism as number | undefined)
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`
}

function jobDuration(job: KubeObject, now: number): string {
  const start = job['status']?.startTime as string | undefined
  const end = job['status']?.completionTime as string | undefined
  if (start === undefined) return ''
  return humanDuration((end === undefined ? now : Date.parse(end)) - Date.parse(start))
}

export const jobTable: TableDefinition = {
  columns: columns('Name', 'Status', 'Completions', 'Duration', 'Age', ...wide('Containers', 'Images', 'Selector')),
  cells: (job, now) => [
    nameOf(job),
    jobStatus(job),
    completions(job),
    jobDuration(job, now),
    age(job, now),
    ...containerCells(podSpec(job)),
    selectorText(job['spec']?.selector),
  ],
}

export const cronJobTable: TableDefinition = {
  columns: columns(
    'Name',
    'Schedule',
    'Timezone',
    ['Suspend', 'boolean'],
    ['Active', 'integer'],
    'Last Schedule',
    'Age',
    ...wide('Containers', 'Images', 'Selector'),
  ),
  cells(object, now) {
    const last = object['status']?.lastScheduleTime as string | undefined
    const suspend = object['spec']?.suspend as boolean | undefined
    return [
      nameOf(object),
      text(object['spec']?.schedule as string | undefined),
      (object['spec']?.timeZone as string | undefined) ?? '<none>',
      suspend === undefined ? '<unset>' : suspend ? 'True' : 'False',
      list(object['status']?.active as unknown[] | undefined).length,
      last === undefined ? '<none>' : ageOf(last, now),
      age(object, now),
      ...containerCells(podSpec({ metadata: {}, spec: object['spec']?.jobTemplate?.spec })),
      selectorText(object['spec']?.jobTemplate?.spec?.selector),
    ]
  },
}

const orNotApplicable = (value: string | number | undefined): string => (value === undefined ? 'N/A' : String(value))

export const podDisruptionBudgetTable: TableDefinition = {
  columns: columns('Name', 'Min Available', 'Max Unavailable', ['Allowed Disruptions', 'integer'], 'Age'),
  cells: simple(
    (object) => orNotApplicable(object['spec']?.minAvailable as string | number | undefined),
    (object) => orNotApplicable(object['spec']?.maxUnavailable as string | number | undefined),
    (object) => int(object['status']?.disruptionsAllowed as number | undefined),
  ),
}

export const controllerRevisionTable: TableDefinition = {
  columns: columns('Name', 'Controller', 'Revision', 'Age'),
  cells: simple(
    (object) => {
      const owner = list(object.metadata.ownerReferences).find((one) => one.controller === true)
      if (owner === undefined) return '<none>'
      const slash = owner.apiVersion.indexOf('/')
      const group = slash < 0 ? '' : `.${owner.apiVersion.slice(0, slash)}`
      return `${(owner.kind + group).toLowerCase()}/${owner.name}`
    },
    (object) => int(object['revision'] as number | undefined),
  ),
}

export const scaleTable: TableDefinition = {
  columns: columns(['Name', 'string', 0, ''], ...integer('Desired', 'Available'), 'Age'),
  cells: simple(
    (object) => int(object['spec']?.replicas as number | undefined),
    (object) => int(object['status']?.replicas as number | undefined),
  ),
}
