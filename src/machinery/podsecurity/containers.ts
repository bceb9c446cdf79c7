/** What the checks share. */
import type { KubeObject } from '../object.ts'

/** Of a pod or a pod template; what is absent is undefined. */
export interface PodFacts {
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: KubeObject['spec']
  /** Init, regular and ephemeral containers. */
  readonly containers: readonly KubeObject['container'][]
}

/** Why a pod does not meet a standard. */
export interface Violation {
  /** Short: `privileged`. */
  readonly reason: string
  readonly detail: string
}

export function factsOf(pod: { metadata?: { annotations?: Record<string, string> }; spec?: unknown }): PodFacts {
  const spec: KubeObject['spec'] = pod.spec ?? {}
  const containers = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ] as KubeObject['container'][]
  return { annotations: pod.metadata?.annotations ?? {}, spec, containers }
}

export function quoted(items: readonly string[]): string {
  return items.map((item) => `"${item}"`).join(', ')
}

export function plural(word: string, count: number, more = `${word}s`): string {
  return count === 1 ? word : more
}

export function sorted(items: Iterable<string>): string[] {
  return [...new Set(items)].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

export function names(containers: readonly KubeObject['container'][]): string[] {
  return containers.map(({ name }) => String(name ?? ''))
}

/** `container "a"`, `containers "a", "b"` */
export function these(containers: readonly KubeObject['container'][]): string {
  return `${plural('container', containers.length)} ${quoted(names(containers))}`
}

/** `pod and containers "a", "b"`; undefined for none. */
export function setters(pod: boolean, containers: readonly KubeObject['container'][]): string | undefined {
  const parts = [...(pod ? ['pod'] : []), ...(containers.length > 0 ? [these(containers)] : [])]
  return parts.length === 0 ? undefined : parts.join(' and ')
}

/** Pod and containers whose security context is `bad`, as a sentence begins. */
export function offenders(
  { spec, containers }: PodFacts,
  bad: (context: KubeObject['securityContext']) => boolean,
): string | undefined {
  const isBad = (one: KubeObject['spec']): boolean => one.securityContext !== undefined && bad(one.securityContext)
  return setters(isBad(spec), containers.filter(isBad))
}
