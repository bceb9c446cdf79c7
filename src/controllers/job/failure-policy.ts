/** `podFailurePolicy`: what a failed pod means for its job. Pure. */
import type { ContainerStatus, Pod } from '../objects.ts'
import type { FailureRule, Job } from './objects.ts'

export interface Verdict {
  /** The action of the rule that matched; absent when none did. */
  readonly action?: string
  /** Whether the failure counts towards the back-off limit. */
  readonly counts: boolean
  /** Why the job as a whole has failed. */
  readonly jobFailure?: string
}

/** The first rule that matches decides. */
export function verdictOn(pod: Pod, job: Job): Verdict {
  for (const [i, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const why = match(rule, pod)
    if (why === undefined) continue
    const { action } = rule
    if (action === 'Ignore') return { action, counts: false }
    if (action === 'FailJob') {
      return { action, counts: true, jobFailure: `${why} matching ${action} rule at index ${i}` }
    }
    if (action === 'FailIndex' || action === 'Count') return { action, counts: true }
  }
  return { counts: true }
}

/** What of the pod the rule is about, as the job's message begins. */
function match(rule: FailureRule, pod: Pod): string | undefined {
  const name = `${pod.metadata.namespace!}/${pod.metadata.name!}`
  if (rule.onExitCodes !== undefined && rule.onExitCodes !== null) {
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {}
    const failed = [...containerStatuses, ...initContainerStatuses].find((one) => exited(rule.onExitCodes!, one))
    if (failed === undefined) return undefined
    return `Container ${failed.name} for pod ${name} failed with exit code ${failed.state!.terminated!.exitCode}`
  }
  for (const condition of pod.status?.conditions ?? []) {
    for (const { type, status = 'True' } of rule.onPodConditions ?? []) {
      if (condition.type === type && condition.status === status) return `Pod ${name} has condition ${type}`
    }
  }
  return undefined
}

function exited(wanted: NonNullable<FailureRule['onExitCodes']>, { name, state }: ContainerStatus): boolean {
  const code = state?.terminated?.exitCode ?? 0
  if (code === 0 || ((wanted.containerName ?? '') !== '' && wanted.containerName !== name)) return false
  if (wanted.operator === 'In') return wanted.values.includes(code)
  return wanted.operator === 'NotIn' && !wanted.values.includes(code)
}
