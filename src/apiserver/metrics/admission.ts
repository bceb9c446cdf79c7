/** What admission measures, under upstream's names: its passes, plug-ins, webhooks and policies. */
import type { Counter, Distribution, Histogram } from './family.ts'
import type { Registry } from './registry.ts'

/** Seconds, as all below. */
const STEPS = [0.005, 0.025, 0.1, 0.5, 1, 2.5] as const
const WEBHOOKS = [...STEPS, 10, 25] as const
const CONDITIONS = [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25] as const
const POLICIES = [5e-7, 1e-3, 1e-2, 1e-1, 1] as const

/** Names of webhooks and policies are a tenant's: so many label sets are kept. */
const SERIES = 300

export type Pass = 'admit' | 'validate'
/** Webhooks say `validating` where all else says `validate`. */
export type HookPass = 'admit' | 'validating'
export type PolicyError = 'no_error' | 'compile_error' | 'invalid_error' | 'out_of_budget'

/** One call of a webhook. */
export interface Called {
  readonly name: string
  readonly type: HookPass
  readonly operation: string
  /** Of its answer; of a call that failed, what stands for it. */
  readonly code: number
  readonly rejected: boolean
  readonly seconds: number
}

const POD = ['request_operation', 'resource', 'subresource'] as const

/** A request that the Pod Security Standards are about. */
export interface PodRequest {
  readonly operation: string
  readonly resource: 'pod' | 'controller' | 'namespace'
  readonly subresource: string
}

export interface PodEvaluation extends PodRequest {
  readonly allowed: boolean
  readonly mode: 'enforce' | 'audit' | 'warn'
  readonly level: string
  /** `latest`, `v1.30` or `future`. */
  readonly version: string
}

const podLabels = ({ operation, resource, subresource }: PodRequest): string[] => [
  operation.toLowerCase(),
  resource,
  subresource,
]

export class AdmissionMetrics {
  readonly #steps: Histogram
  readonly #controllers: Histogram
  readonly #webhooks: Histogram
  readonly #requests: Counter
  readonly #rejections: Counter
  readonly #open: Counter
  readonly #conditions: Histogram
  readonly #conditionErrors: Counter
  readonly #exclusions: Counter
  readonly #validating: readonly [Counter, Histogram]
  readonly #mutating: readonly [Counter, Histogram]
  readonly #evaluations: Counter
  readonly #evaluationErrors: Counter

  constructor(registry: Registry) {
    const name = (rest: string): string => `apiserver_admission_${rest}`
    const hook = ['name', 'operation', 'rejected', 'type']
    const condition = {
      labels: ['kind', 'name', 'operation', 'type'],
      stability: 'ALPHA',
      series: SERIES,
    } as const
    this.#steps = registry.histogram({
      name: name('step_admission_duration_seconds'),
      stability: 'STABLE',
      help: 'Seconds of a pass of admission, by operation.',
      labels: ['operation', 'rejected', 'type'],
      buckets: STEPS,
    })
    this.#controllers = registry.histogram({
      name: name('controller_admission_duration_seconds'),
      stability: 'STABLE',
      help: 'Seconds of an admission plug-in, by operation. Those that a resource does not concern are not asked.',
      labels: hook,
      buckets: STEPS,
    })
    this.#webhooks = registry.histogram({
      name: name('webhook_admission_duration_seconds'),
      stability: 'STABLE',
      help: 'Seconds of the call of a webhook.',
      labels: hook,
      buckets: WEBHOOKS,
      series: SERIES,
    })
    this.#requests = registry.counter({
      name: name('webhook_request_total'),
      stability: 'ALPHA',
      help: 'Calls of webhooks, by code.',
      labels: ['code', ...hook],
      series: SERIES,
    })
    this.#rejections = registry.counter({
      name: name('webhook_rejection_count'),
      stability: 'ALPHA',
      help: 'Requests that webhooks refused, or that were refused because one failed.',
      labels: ['error_type', 'name', 'operation', 'rejection_code', 'type'],
      series: SERIES,
    })
    this.#open = registry.counter({
      name: name('webhook_fail_open_count'),
      stability: 'ALPHA',
      help: 'Webhooks that failed and did not count.',
      labels: ['name', 'type'],
      series: SERIES,
    })
    this.#conditions = registry.histogram({
      name: name('match_condition_evaluation_seconds'),
      help: 'Seconds of match conditions that were not met.',
      buckets: CONDITIONS,
      ...condition,
    })
    this.#conditionErrors = registry.counter({
      name: name('match_condition_evaluation_errors_total'),
      help: 'Match conditions that failed.',
      ...condition,
    })
    this.#exclusions = registry.counter({
      name: name('match_condition_exclusions_total'),
      help: 'Requests that match conditions kept from a webhook.',
      ...condition,
    })
    const checks = (
      kind: string,
      labels: readonly string[],
      stability: 'ALPHA' | 'BETA',
    ): readonly [Counter, Histogram] => {
      const more = { labels, stability, series: SERIES }
      const base = `apiserver_${kind}_admission_policy_check`
      return [
        registry.counter({
          name: `${base}_total`,
          help: `Checks of ${kind} policies, by how they ended.`,
          ...more,
        }),
        registry.histogram({
          name: `${base}_duration_seconds`,
          help: `Seconds of checks of ${kind} policies.`,
          buckets: POLICIES,
          ...more,
        }),
      ]
    }
    this.#evaluations = registry.counter({
      name: 'pod_security_evaluations_total',
      stability: 'ALPHA',
      help: 'Pods and their templates by what the Pod Security Standards say to them.',
      labels: ['decision', 'mode', 'policy_level', 'policy_version', ...POD],
      series: SERIES,
    })
    this.#evaluationErrors = registry.counter({
      name: 'pod_security_errors_total',
      stability: 'ALPHA',
      help: 'Pods and their templates whose policy could not be read.',
      labels: ['fatal', ...POD],
    })
    const policy = ['error_type', 'policy', 'policy_binding']
    this.#validating = checks('validating', ['enforcement_action', ...policy], 'BETA')
    this.#mutating = checks('mutating', policy, 'ALPHA')
  }

  /** The cell of a pass. */
  step(operation: string, type: Pass, rejected: boolean): Distribution {
    return this.#steps.at([operation, String(rejected), type])
  }

  /** The cell of a plug-in. */
  controller(name: string, operation: string, type: Pass, rejected: boolean): Distribution {
    return this.#controllers.at([name, operation, String(rejected), type])
  }

  called({ name, type, operation, code, rejected, seconds }: Called): void {
    this.#webhooks.observe(seconds, [name, operation, String(rejected), type])
    // Upstream's: codes beyond are nonsense of the webhook.
    const shown = String(code > 600 ? 600 : code)
    this.#requests.add([shown, name, operation, String(rejected), type])
  }

  /** A webhook refused, or failed and did count. */
  rejected(
    { name, type, operation, code }: Called,
    error: 'no_error' | 'calling_webhook_error' | 'apiserver_internal_error',
  ) {
    this.#rejections.add([error, name, operation, String(code > 600 ? 600 : code), type])
  }

  failedOpen(name: string, type: HookPass): void {
    this.#open.add([name, type])
  }

  /** Match conditions of a policy or webhook were not met, or failed. */
  conditions(
    kind: 'policy' | 'webhook',
    name: string,
    type: Pass | HookPass,
    operation: string,
    outcome: 'failed' | 'excluded',
    seconds: number,
  ): void {
    const labels = [kind, name, operation, type]
    this.#conditions.observe(seconds, labels)
    if (outcome === 'failed') this.#conditionErrors.add(labels)
    else if (kind === 'webhook') this.#exclusions.add(labels)
  }

  podSecurity({ allowed, mode, level, version, ...pod }: PodEvaluation): void {
    this.#evaluations.add([allowed ? 'allow' : 'deny', mode, level, version, ...podLabels(pod)])
  }

  podSecurityFailed(pod: PodRequest): void {
    this.#evaluationErrors.add(['false', ...podLabels(pod)])
  }

  validatingPolicy(
    policy: string,
    binding: string,
    action: 'allow' | 'deny' | 'warn' | 'audit',
    error: PolicyError,
    seconds: number,
  ): void {
    const labels = [action, error, policy, binding]
    this.#validating[0].add(labels)
    this.#validating[1].observe(seconds, labels)
  }

  mutatingPolicy(policy: string, binding: string, error: PolicyError, seconds: number): void {
    const labels = [error, policy, binding]
    this.#mutating[0].add(labels)
    this.#mutating[1].observe(seconds, labels)
  }
}
