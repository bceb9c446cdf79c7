/** The log of a simulated container: what the simulation did, and that nothing ran. Pure. */
import type { KubeObject } from '../machinery/object.ts'
import { errors } from '../machinery/status.ts'
import { annotation, parseTime, timestamp } from './meta.ts'
import type { Container, ContainerState, ContainerStatus, Pod } from './objects.ts'
import { NODE } from './simulation/annotations.ts'

/** v1.PodLogOptions. An absent container is the first one. */
export interface SimulatedLogQuery {
  readonly container?: string | undefined
  readonly previous?: boolean
  readonly timestamps?: boolean
  readonly tailLines?: number | undefined
  readonly limitBytes?: number | undefined
  readonly sinceSeconds?: number | undefined
  readonly sinceTime?: string | undefined
}

/** Whether pods of this node are simulated. */
export function isSimulated(node: KubeObject): boolean {
  return annotation(node, NODE) === 'true'
}

interface Line {
  readonly time: number
  readonly text: string
}

/**
 * The log as text; '' when nothing was logged in the time asked for.
 * @throws StatusError 400 when the container has not started, or has no previous run
 */
export function simulatedLog(object: KubeObject, query: SimulatedLogQuery, now: number): string {
  const pod = object as Pod
  const { name } = pod.metadata
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  const container = containers.find((one) => query.container === undefined || one.name === query.container)
  if (container === undefined) throw errors.badRequest(`container ${query.container!} is not valid for pod ${name!}`)
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
  const status = statuses.find((one) => one.name === container.name)
  const lines = linesOf(pod, container, runOf(pod, container, status, query.previous === true))
  const since = query.sinceTime === undefined ? 0 : parseTime(query.sinceTime)
  const from = query.sinceSeconds === undefined ? since : Math.max(since, now - query.sinceSeconds * 1000)
  const recent = lines.filter(({ time }) => time >= from)
  const tail = query.tailLines === undefined ? recent : recent.slice(Math.max(0, recent.length - query.tailLines))
  const text = tail
    .map((line) => `${query.timestamps === true ? `${timestamp(line.time)} ` : ''}${line.text}\n`)
    .join('')
  if (query.limitBytes === undefined) return text
  return Buffer.from(text, 'utf8').subarray(0, query.limitBytes).toString('utf8')
}

/** The state whose log is asked for. */
function runOf(pod: Pod, container: Container, status: ContainerStatus | undefined, previous: boolean): ContainerState {
  if (previous) {
    if (status?.lastState?.terminated !== undefined) return status.lastState
    const where = `container "${container.name}" in pod "${pod.metadata.name!}"`
    throw errors.badRequest(`previous terminated ${where} not found`)
  }
  if (status?.state?.running !== undefined || status?.state?.terminated !== undefined) return status.state
  // One that waits to be restarted has the log of its last run.
  if (status?.lastState?.terminated !== undefined) return status.lastState
  const reason = status?.state?.waiting?.reason ?? 'ContainerCreating'
  const failing = reason === 'ErrImagePull' || reason === 'ImagePullBackOff'
  const why = failing ? 'trying and failing to pull image' : reason
  const tail = failing ? `is waiting to start: ${why}` : `is waiting to start: ${reason}`
  throw errors.badRequest(`container "${container.name}" in pod "${pod.metadata.name!}" ${tail}`)
}

function linesOf(pod: Pod, container: Container, state: ContainerState): Line[] {
  const start = parseTime(state.running?.startedAt ?? state.terminated?.startedAt)
  const argv = [...(container.command ?? []), ...(container.args ?? [])]
  const what = argv.length === 0 ? 'its default command' : JSON.stringify(argv)
  const lines = [
    {
      time: start,
      text: `simulated: container ${container.name} started with image ${container.image ?? ''} on node ${pod.spec.nodeName ?? ''}`,
    },
    { time: start, text: `simulated: no program runs here, ${what} is only pretended` },
  ]
  const { terminated } = state
  if (terminated !== undefined) {
    const end = parseTime(terminated.finishedAt)
    const seconds = Math.round((end - start) / 1000)
    const text = `simulated: container ${container.name} exited with code ${terminated.exitCode} after ${seconds} s`
    lines.push({ time: end, text })
  }
  return lines
}
