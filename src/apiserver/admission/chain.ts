/** The chain: plug-ins in a fixed order, all mutations before all validations. */
import type { ResourceInfo } from '../../machinery/types/table.ts'
import type { Pass } from '../metrics/admission.ts'
import { ClusterMetrics } from '../metrics/cluster.ts'
import { Sampler } from '../metrics/sampler.ts'
import type { AdmissionChain, AdmissionPlugin, AdmissionRequest, Operation, SideWrite } from './contract.ts'
import { Timer } from './timer.ts'

type Work = (request: AdmissionRequest) => void | Promise<void>

interface Step {
  readonly work: Work
  readonly timer: Timer
}

/** The steps of a pass and its own time. */
interface Timed {
  readonly steps: readonly Step[]
  readonly timer: Timer
}

type Reserve = (request: AdmissionRequest) => readonly SideWrite[]

const NOTHING: readonly SideWrite[] = []

interface Steps {
  readonly mutate: Timed
  readonly validate: Timed
  readonly reserve: readonly Reserve[]
}

/** A chain whose choice of plug-ins is made once for each resource, operation and subresource. */
export function createChain(
  plugins: readonly AdmissionPlugin[],
  metrics: Pick<ClusterMetrics, 'admission' | 'onRender'> = new ClusterMetrics(),
): AdmissionChain {
  const chosen = new WeakMap<ResourceInfo, Map<string, Steps>>()
  const sampler = new Sampler()
  const timers = new Map<string, Timer>()
  metrics.onRender(() => {
    for (const timer of timers.values()) timer.show()
  })
  /** One for all resources; without a plug-in's name that of the pass. */
  const timerOf = (operation: Operation, type: Pass, name: string | undefined): Timer => {
    const key = `${operation} ${type} ${name ?? ''}`
    let timer = timers.get(key)
    if (timer === undefined) {
      timer = new Timer((rejected) =>
        name === undefined
          ? metrics.admission.step(operation, type, rejected)
          : metrics.admission.controller(name, operation, type, rejected),
      )
      timers.set(key, timer)
    }
    return timer
  }

  const stepsOf = ({ resource, operation, subresource }: AdmissionRequest): Steps => {
    let byOperation = chosen.get(resource.info)
    if (byOperation === undefined) chosen.set(resource.info, (byOperation = new Map<string, Steps>()))
    const key = `${operation} ${subresource}`
    let steps = byOperation.get(key)
    if (steps === undefined) {
      const able = plugins.filter((p) => p.handles(operation, resource.info, subresource))
      const timed = (type: Pass, workOf: (plugin: AdmissionPlugin) => Work | undefined): Timed => ({
        steps: able.flatMap((plugin) => {
          const work = workOf(plugin)?.bind(plugin)
          return work === undefined ? [] : [{ work, timer: timerOf(operation, type, plugin.name) }]
        }),
        timer: timerOf(operation, type, undefined),
      })
      steps = {
        mutate: timed('admit', (plugin) => plugin.mutate),
        validate: timed('validate', (plugin) => plugin.validate),
        reserve: able.flatMap((p) => (p.reserve === undefined ? [] : [p.reserve.bind(p)])),
      }
      byOperation.set(key, steps)
    }
    return steps
  }
  const pass = (timed: Timed, request: AdmissionRequest, work: typeof run): void | Promise<void> => {
    const measured = sampler.isDue()
    const { timer, steps } = timed
    const from = timer.begin(measured)
    let waiting: void | Promise<void>
    try {
      waiting = work(steps, request, 0, measured)
    } catch (error) {
      timer.rejected(from)
      throw error
    }
    if (waiting !== undefined) return timer.waits(waiting, from)
    timer.passed(from)
  }
  return {
    mutate: (request) => pass(stepsOf(request).mutate, request, twice),
    validate: (request) => pass(stepsOf(request).validate, request, run),
    reserve: (request) => {
      const { reserve } = stepsOf(request)
      return reserve.length === 0 ? NOTHING : reserve.flatMap((step) => step(request))
    },
  }
}

/** The mutating pass, with a second run if the first one asks for it. */
function twice(
  steps: readonly Step[],
  request: AdmissionRequest,
  from: number,
  measured: boolean,
): void | Promise<void> {
  const again = (): void | Promise<void> => {
    const { reinvocation } = request
    if (reinvocation?.wanted !== true) return
    reinvocation.again = true
    return run(steps, request, from, measured)
  }
  const waiting = run(steps, request, from, measured)
  return waiting === undefined ? again() : waiting.then(again)
}

/** Runs in the caller's turn as long as no step waits for something. */
function run(steps: readonly Step[], request: AdmissionRequest, from: number, measured: boolean): void | Promise<void> {
  for (let i = from; i < steps.length; i++) {
    const { work, timer } = steps[i]!
    const began = timer.begin(measured)
    let waiting: void | Promise<void>
    try {
      waiting = work(request)
    } catch (error) {
      timer.rejected(began)
      throw error
    }
    if (waiting !== undefined) return timer.waits(waiting, began).then(() => run(steps, request, i + 1, measured))
    timer.passed(began)
  }
}
