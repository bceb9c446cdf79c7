/** The chain: plug-ins in a fixed order, all mutations before all validations. */
import type { ResourceInfo } from '../../machinery/types/table.ts'
import type { AdmissionChain, AdmissionPlugin, AdmissionRequest, SideWrite } from './contract.ts'

type Step = (request: AdmissionRequest) => void | Promise<void>

type Reserve = (request: AdmissionRequest) => readonly SideWrite[]

const NOTHING: readonly SideWrite[] = []

interface Steps {
  readonly mutate: readonly Step[]
  readonly validate: readonly Step[]
  readonly reserve: readonly Reserve[]
}

/** A chain whose choice of plug-ins is made once for each resource, operation and subresource. */
export function createChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  const chosen = new WeakMap<ResourceInfo, Map<string, Steps>>()

  const stepsOf = ({ resource, operation, subresource }: AdmissionRequest): Steps => {
    let byOperation = chosen.get(resource.info)
    if (byOperation === undefined) chosen.set(resource.info, (byOperation = new Map<string, Steps>()))
    const key = `${operation} ${subresource}`
    let steps = byOperation.get(key)
    if (steps === undefined) {
      const able = plugins.filter((p) => p.handles(operation, resource.info, subresource))
      steps = {
        mutate: able.flatMap((p) => (p.mutate === undefined ? [] : [p.mutate.bind(p)])),
        validate: able.flatMap((p) => (p.validate === undefined ? [] : [p.validate.bind(p)])),
        reserve: able.flatMap((p) => (p.reserve === undefined ? [] : [p.reserve.bind(p)])),
      }
      byOperation.set(key, steps)
    }
    return steps
  }
  return {
    mutate: (request) => {
      const { mutate } = stepsOf(request)
      const waiting = run(mutate, request, 0)
      return waiting === undefined ? again(mutate, request) : waiting.then(() => again(mutate, request))
    },
    validate: (request) => run(stepsOf(request).validate, request, 0),
    reserve: (request) => {
      const { reserve } = stepsOf(request)
      return reserve.length === 0 ? NOTHING : reserve.flatMap((step) => step(request))
    },
  }
}

/** The second run of the mutating pass, if the first one asks for it. */
function again(steps: readonly Step[], request: AdmissionRequest): void | Promise<void> {
  const { reinvocation } = request
  if (reinvocation?.wanted !== true) return
  reinvocation.again = true
  return run(steps, request, 0)
}

/** Runs in the caller's turn as long as no step waits for something. */
function run(steps: readonly Step[], request: AdmissionRequest, from: number): void | Promise<void> {
  for (let i = from; i < steps.length; i++) {
    const waiting = steps[i]!(request)
    if (waiting !== undefined) return waiting.then(() => run(steps, request, i + 1))
  }
}
