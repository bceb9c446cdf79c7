/** `kubectl get hpa`: targets of a HorizontalPodAutoscaler. */
import { autoscalerV2Of } from '../kinds/autoscaling/convert.ts'
import type { KubeObject } from '../object.ts'
import { int, list, simple, text } from './cells.ts'
import { columns } from './contract.ts'
import type { TableDefinition } from './contract.ts'
import { quantityText } from './quantity-cell.ts'

interface Values {
  readonly averageValue?: string
  readonly averageUtilization?: number
  readonly value?: string
}

interface Source {
  readonly name?: string
  readonly target?: Values
  readonly current?: Values
}

type Metric = { readonly type?: string } & { readonly [source: string]: Source | undefined }

const FIELDS = new Map([
  ['External', 'external'],
  ['Pods', 'pods'],
  ['Object', 'object'],
  ['Resource', 'resource'],
  ['ContainerResource', 'containerResource'],
])

const percent = (value: number | undefined, missing: string): string => (value === undefined ? missing : `${value}%`)
const amount = (values: Values | undefined, field: 'averageValue' | 'value'): string =>
  values === undefined ? '<unknown>' : quantityText(values as Record<string, string>, field)

function metricText(metric: Metric, status: Metric | undefined): string {
  const field = FIELDS.get(metric.type as unknown as string)
  if (field === undefined) return '<unknown type>'
  const spec = metric[field] ?? {}
  const target = spec.target ?? {}
  const current = status?.[field]?.current
  if (field === 'resource' || field === 'containerResource') {
    if (target.averageValue !== undefined) {
      return `${text(spec.name)}: ${amount(current, 'averageValue')}/${amount(target, 'averageValue')}`
    }
    const used = percent(current?.averageUtilization, '<unknown>')
    return `${text(spec.name)}: ${used}/${percent(target.averageUtilization, '<auto>')}`
  }
  if (field === 'pods') return `${amount(current, 'averageValue')}/${amount(target, 'averageValue')}`
  if (target.averageValue === undefined) return `${amount(current, 'value')}/${amount(target, 'value')}`
  const average = current?.averageValue === undefined ? '<unknown>' : amount(current, 'averageValue')
  return `${average}/${amount(target, 'averageValue')} (avg)`
}

function targets(object: KubeObject): string {
  const specs = list(object['spec']?.metrics as Metric[] | undefined)
  const statuses = list(object['status']?.currentMetrics as Metric[] | undefined)
  if (specs.length === 0) return '<none>'
  const texts = specs.slice(0, 2).map((metric, i) => metricText(metric, statuses[i]))
  return specs.length > 2 ? `${texts.join(', ')} + ${specs.length - 2} more...` : texts.join(', ')
}

/** v1 does not say where among the others the utilization of the CPU stood; most write it first. */
function cpuFirst(object: KubeObject): KubeObject {
  const metrics = list(object['spec']?.metrics as Metric[] | undefined)
  const last = metrics.findLast(({ type, resource }) => type === 'Resource' && resource?.name === 'cpu')
  if (last === undefined || last !== metrics.at(-1)) return object
  return { ...object, spec: { ...object['spec'], metrics: [last, ...metrics.slice(0, -1)] } }
}

/** Of autoscaling/v2, which v1 is converted to. */
export const autoscalerTable: TableDefinition = {
  internal: (object) =>
    object.apiVersion === 'autoscaling/v1' && object['spec'] !== undefined ? cpuFirst(autoscalerV2Of(object)) : object,
  columns: columns('Name', 'Reference', 'Targets', 'MinPods', 'MaxPods', 'Replicas', 'Age'),
  cells: simple(
    (object) => {
      const target = (object['spec']?.scaleTargetRef ?? {}) as { kind?: string; name?: string }
      return `${text(target.kind)}/${text(target.name)}`
    },
    targets,
    (object) => {
      const least = object['spec']?.minReplicas as number | undefined
      return least === undefined ? '<unset>' : String(least)
    },
    (object) => int(object['spec']?.maxReplicas as number | undefined),
    (object) => int(object['status']?.currentReplicas as number | undefined),
  ),
}
