/** The status of a simulated pod at a moment. Pure. */
import { findCondition } from '../conditions.ts'
import { timestamp } from '../meta.ts'
import type { Condition, Container, ContainerState, ContainerStatus, Pod, PodStatus } from '../objects.ts'
import { flagAnnotation, numberAnnotation } from './annotations.ts'
import { behaviourOf } from './behaviour.ts'
import { type Moment, momentOf, type Restart, type Run } from './timeline.ts'

export interface Placement {
  readonly podIP: string
  readonly hostIP: string
  /** When the node began with the pod: milliseconds since the epoch. */
  readonly started: number
}

export interface Simulated {
  readonly status: PodStatus
  /** When it changes by itself; `Infinity`: never. */
  readonly next: number
}

interface One {
  readonly status: ContainerStatus
  /** Running, or a sidecar that is. */
  readonly moment: Moment | undefined
  readonly next: number
}

/** The status that the pod should have at `now`. */
export function statusAt(pod: Pod, place: Placement, now: number): Simulated {
  const deadline = (pod.spec.activeDeadlineSeconds ?? Infinity) * 1000 + place.started
  if (now >= deadline) return afterDeadline(pod, place, now)
  const begin = place.started + (numberAnnotation(pod, 'start-delay-seconds') ?? 0) * 1000
  const restart = (pod.spec.restartPolicy ?? 'Always') as Restart
  const init = initAt(pod, begin, restart, now)
  const main = pod.spec.containers.map((container) =>
    init.done === undefined || now < init.done
      ? waiting(container, init.any ? 'PodInitializing' : 'ContainerCreating')
      : containerAt(pod, container, init.done, restart, false, now),
  )
  const next = Math.min(
    deadline,
    begin > now ? begin : Infinity,
    ...[...init.containers, ...main].map((one) => one.next),
  )
  const phase = init.failed ? 'Failed' : phaseOf(main, restart, init.done !== undefined && now >= init.done)
  const containerStatuses = main.map(({ status }) => (phase === 'Running' ? status : { ...status, ready: false }))
  const initialized = init.done !== undefined && now >= init.done
  return {
    next: phase === 'Failed' || phase === 'Succeeded' ? Infinity : next,
    status: {
      ...base(pod, place, phase),
      ...(init.containers.length === 0 ? {} : { initContainerStatuses: init.containers.map(({ status }) => status) }),
      containerStatuses,
      conditions: conditionsOf(pod, { phase, initialized, containers: containerStatuses, init: init.containers }, now),
    },
  }
}

function base(pod: Pod, place: Placement, phase: string): PodStatus {
  const { conditions: _, reason: __, message: ___, ...kept } = pod.status ?? {}
  const network = pod.spec.hostNetwork === true ? place.hostIP : place.podIP
  return {
    ...kept,
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    hostIP: place.hostIP,
    hostIPs: [{ ip: place.hostIP }],
    podIP: network,
    podIPs: [{ ip: network }],
    startTime: timestamp(place.started),
  }
}

function initAt(pod: Pod, begin: number, restart: Restart, now: number) {
  const containers: One[] = []
  let start: number | undefined = begin
  let failed = false
  for (const container of pod.spec.initContainers ?? []) {
    if (start === undefined || now < start) {
      containers.push(waiting(container, 'PodInitializing'))
      start = undefined
      continue
    }
    const sidecar = container.restartPolicy === 'Always'
    const policy = sidecar ? 'Always' : restart === 'Never' ? 'Never' : 'OnFailure'
    const one = containerAt(pod, container, start, policy, true, now)
    containers.push(one)
    const state = one.moment!.state
    if (sidecar) {
      if (state.type === 'unpullable') start = undefined
    } else if (state.type === 'exited' && state.run.code === 0) {
      start = state.run.end
    } else {
      if (state.type === 'exited' && state.until === Infinity) failed = true
      start = undefined
    }
  }
  return { containers, failed, done: failed ? undefined : start, any: containers.length > 0 }
}

function waiting(container: Container, reason: string): One {
  return { status: containerStatus(container, { waiting: { reason } }, 0), moment: undefined, next: Infinity }
}

function containerAt(pod: Pod, container: Container, start: number, restart: Restart, init: boolean, now: number): One {
  const moment = momentOf(behaviourOf(pod, container, init), start, restart, now)
  const { state, restarts, last } = moment
  const id = containerId(pod, container, restarts)
  const lastState =
    last === undefined ? undefined : { terminated: terminated(last, containerId(pod, container, restarts - 1)) }
  if (state.type === 'unpullable') {
    const image = container.image ?? ''
    const text = `Back-off pulling image "${image}": ErrImagePull: simulated: the image does not exist`
    const reason = state.backOff
      ? { reason: 'ImagePullBackOff', message: text }
      : { reason: 'ErrImagePull', message: `failed to pull image "${image}": simulated: the image does not exist` }
    return { status: containerStatus(container, { waiting: reason }, 0), moment, next: moment.next }
  }
  if (state.type === 'exited') {
    const own = { terminated: terminated(state.run, id) }
    if (state.until === Infinity) {
      const status = containerStatus(container, own, restarts, id, lastState)
      // What an init container leaves behind counts as ready when it went well.
      return { status: { ...status, ready: init && state.run.code === 0 }, moment, next: moment.next }
    }
    const pause = Math.round((state.until - state.run.end) / 1000)
    const message = `back-off ${duration(pause)} restarting failed container=${container.name} pod=${pod.metadata.name!}_${pod.metadata.namespace!}(${pod.metadata.uid!})`
    const state_ = { waiting: { reason: 'CrashLoopBackOff', message } }
    return { status: containerStatus(container, state_, restarts, id, own), moment, next: moment.next }
  }
  const startedAt = state.since + (container.startupProbe?.initialDelaySeconds ?? 0) * 1000
  const readyAt = readyTime(pod, container, startedAt)
  const status = containerStatus(container, { running: { startedAt: timestamp(state.since) } }, restarts, id, lastState)
  const started = now >= startedAt
  const changes = [moment.next, startedAt, readyAt].filter((time) => time > now)
  return { status: { ...status, started, ready: started && now >= readyAt }, moment, next: Math.min(...changes) }
}

function readyTime(pod: Pod, container: Container, started: number): number {
  if (flagAnnotation(pod, 'ready') === false) return Infinity
  const delay = numberAnnotation(pod, 'ready-delay-seconds') ?? container.readinessProbe?.initialDelaySeconds ?? 0
  return started + delay * 1000
}

function containerStatus(
  container: Container,
  state: ContainerState,
  restartCount: number,
  containerID?: string,
  lastState?: ContainerState,
): ContainerStatus {
  return {
    name: container.name,
    state,
    lastState: lastState ?? {},
    ready: false,
    restartCount,
    image: container.image ?? '',
    imageID: containerID === undefined ? '' : `simulated://${container.image ?? ''}`,
    ...(containerID === undefined ? {} : { containerID }),
    started: false,
  }
}

function terminated({ start, end, code }: Run, containerID: string) {
  return {
    exitCode: code,
    reason: code === 0 ? 'Completed' : 'Error',
    startedAt: timestamp(start),
    finishedAt: timestamp(end),
    containerID,
  }
}

function containerId(pod: Pod, container: Container, restarts: number): string {
  return `simulated://${pod.metadata.uid!}/${container.name}/${restarts}`
}

function duration(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60]
  return minutes === 0 ? `${rest}s` : `${minutes}m${rest}s`
}

/** As the kubelet sums up its containers. */
function phaseOf(main: readonly One[], restart: Restart, initialized: boolean): string {
  if (!initialized) return 'Pending'
  let [never, running, failed, stopped] = [0, 0, 0, 0]
  for (const { status, moment } of main) {
    if (status.state?.running !== undefined) running++
    else if (moment === undefined || moment.state.type === 'unpullable') never++
    else {
      stopped++
      if (moment.state.type === 'exited' && moment.state.run.code !== 0) failed++
    }
  }
  if (never > 0) return 'Pending'
  if (running > 0) return 'Running'
  if (stopped === 0) return 'Pending'
  if (restart === 'Always') return 'Running'
  if (failed === 0) return 'Succeeded'
  return restart === 'Never' ? 'Failed' : 'Running'
}

interface Summary {
  readonly phase: string
  readonly initialized: boolean
  readonly containers: readonly ContainerStatus[]
  readonly init: readonly One[]
}

function conditionsOf(pod: Pod, summary: Summary, now: number): Condition[] {
  const { phase, initialized, containers } = summary
  const before = pod.status?.conditions ?? []
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name)
  const why: { reason?: string; message?: string } =
    phase === 'Succeeded'
      ? { reason: 'PodCompleted' }
      : phase === 'Failed'
        ? { reason: 'PodFailed' }
        : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
  const containersReady = unready.length === 0 && phase === 'Running'
  const gates = (pod.spec.readinessGates ?? []).filter(
    ({ conditionType }) => findCondition(before, conditionType)?.status !== 'True',
  )
  const incomplete = summary.init.filter(({ status }) => !status.ready && status.started !== true)
  const init = incomplete.map(({ status }) => status.name).join(' ')
  const notInitialized = {
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${init}]`,
  }
  const gate = { reason: 'ReadinessGatesNotReady', message: 'the status of pod readiness gate is not "True"' }
  const fresh: [type: string, ok: boolean, why: { reason?: string; message?: string }][] = [
    ['PodReadyToStartContainers', phase === 'Running' || phase === 'Pending', {}],
    ['Initialized', initialized, notInitialized],
    ['Ready', containersReady && gates.length === 0, containersReady ? gate : why],
    ['ContainersReady', containersReady, why],
    ['PodScheduled', true, {}],
  ]
  const own = new Set(fresh.map(([type]) => type))
  return [
    ...fresh.map(([type, ok, reason]) => {
      const status = ok ? 'True' : 'False'
      const old = findCondition(before, type)
      const same = old?.status === status && old.lastTransitionTime !== undefined
      return {
        type,
        ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
        status,
        lastProbeTime: null,
        lastTransitionTime: same ? old.lastTransitionTime! : timestamp(now),
        // A finished pod was initialized, and says why it is not ready.
        ...(ok ? (type === 'Initialized' && phase === 'Succeeded' ? { reason: 'PodCompleted' } : {}) : reason),
      }
    }),
    ...before.filter(({ type }) => !own.has(type)),
  ]
}

function afterDeadline(pod: Pod, place: Placement, now: number): Simulated {
  return {
    next: Infinity,
    status: stopped(pod, place, now, {
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    }),
  }
}

/** Milliseconds that running containers take to stop, counted from the second in which they were asked to. */
const TERMINATION = 1300

/** How many milliseconds stopping takes, given the grace period: containers that run take about as long as real ones. */
export function terminationTime(pod: Pod, grace: number): number {
  const told = numberAnnotation(pod, 'termination-seconds')
  if (told !== undefined) return Math.min(grace, told * 1000)
  const running = (pod.status?.containerStatuses ?? []).some(({ state }) => state?.running !== undefined)
  return running ? Math.min(grace, TERMINATION) : 0
}

/** The status of a pod whose host ports another pod of the node has: it never runs. */
export function rejected(pod: Pod, now: number): PodStatus {
  const { generation } = pod.metadata
  const why = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
  return {
    ...pod.status,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase: 'Failed',
    reason: 'NodePorts',
    message: `Pod was rejected: ${why}`,
    startTime: timestamp(now),
  }
}

/** The status after everything has been stopped from outside (137: killed). */
export function stopped(
  pod: Pod,
  place: Placement,
  now: number,
  how: { phase?: string; reason?: string; message?: string } = {},
): PodStatus {
  const containerStatuses = pod.spec.containers.map((container): ContainerStatus => {
    const before = pod.status?.containerStatuses?.find(({ name }) => name === container.name)
    if (before?.state?.terminated !== undefined) return { ...before, ready: false, started: false }
    const start = before?.state?.running?.startedAt
    const run = { start: start === undefined ? place.started : Date.parse(start), end: now, code: 137 }
    const id = before?.containerID ?? containerId(pod, container, 0)
    return {
      ...containerStatus(
        container,
        { terminated: terminated(run, id) },
        before?.restartCount ?? 0,
        id,
        before?.lastState,
      ),
    }
  })
  const clean = containerStatuses.every(({ state }) => state?.terminated?.exitCode === 0)
  const phase = how.phase ?? (clean ? 'Succeeded' : 'Failed')
  const summary: Summary = { phase, initialized: true, containers: containerStatuses, init: [] }
  return {
    ...base(pod, place, phase),
    ...(how.reason === undefined ? {} : { reason: how.reason }),
    ...(how.message === undefined ? {} : { message: how.message }),
    containerStatuses,
    conditions: conditionsOf(pod, summary, now),
  }
}
