/** The pods of a Job. */
import { controllerReference } from '../meta.ts'
import type { Container, Pod, PodSpec } from '../objects.ts'
import { verdictOn } from './failure-policy.ts'
import { COMPLETION_INDEX, TRACKING_FINALIZER, type Job } from './objects.ts'
import { FAILURE_COUNT, failureCount, IGNORED_FAILURE_COUNT, ignoredFailureCount } from './pods.ts'

/** The longest prefix that leaves room for the generated part of a name. */
const LONGEST_PREFIX = 58
const ENV = 'JOB_COMPLETION_INDEX'

interface EnvContainer extends Container {
  env?: { name: string; value?: string; valueFrom?: object }[]
}

/** `replaced`: the failed pod of the index whose count this one continues. */
export function jobPod(job: Job, index: number | undefined, replaced: Pod | undefined): Pod {
  const { metadata = {}, spec } = job.spec.template
  const finalizers = metadata.finalizers ?? []
  const common = {
    namespace: job.metadata.namespace!,
    finalizers: finalizers.includes(TRACKING_FINALIZER) ? finalizers : [...finalizers, TRACKING_FINALIZER],
    ownerReferences: [controllerReference('batch/v1', 'Job', job)],
  }
  const name = job.metadata.name!
  if (index === undefined) {
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...common,
        generateName: `${name}-`.slice(0, 248),
        ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
        ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
      },
      spec,
    }
  }
  const number = String(index)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...common,
      generateName: indexedPrefix(name, number),
      labels: { ...metadata.labels, [COMPLETION_INDEX]: number },
      annotations: { ...metadata.annotations, [COMPLETION_INDEX]: number, ...failureCounts(job, replaced) },
    },
    spec: { ...withIndexEnv(spec), hostname: `${name}-${number}` },
  }
}

/** A name that is cut would be shared with other jobs' pods; the generated part tells them apart. */
function indexedPrefix(name: string, number: string): string {
  const suffix = `-${number}-`
  return `${name.slice(0, LONGEST_PREFIX - suffix.length)}${suffix}`
}

function failureCounts(job: Job, replaced: Pod | undefined): Record<string, string> {
  if (job.spec.backoffLimitPerIndex === undefined) return {}
  if (replaced === undefined) return { [FAILURE_COUNT]: '0' }
  const { counts } = verdictOn(replaced, job)
  const failures = failureCount(replaced) + (counts ? 1 : 0)
  const ignored = ignoredFailureCount(replaced) + (counts ? 0 : 1)
  return {
    [FAILURE_COUNT]: String(failures),
    ...(ignored === 0 ? {} : { [IGNORED_FAILURE_COUNT]: String(ignored) }),
  }
}

function withIndexEnv(spec: PodSpec): PodSpec {
  const add = (container: EnvContainer): EnvContainer => {
    if (container.env?.some(({ name }) => name === ENV) === true) return container
    const valueFrom = { fieldRef: { fieldPath: `metadata.labels['${COMPLETION_INDEX}']` } }
    return { ...container, env: [...(container.env ?? []), { name: ENV, valueFrom }] }
  }
  const { initContainers } = spec
  return {
    ...spec,
    containers: spec.containers.map(add),
    ...(initContainers === undefined ? {} : { initContainers: initContainers.map(add) }),
  }
}
