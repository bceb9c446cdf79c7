/** Texts for Warning headers on writes of pods and pod templates: what is allowed and does not do what it says. */
import { child, index, key } from '../../field.ts'
import { isDns1123Label, isLabelValue } from '../../names.ts'
import { parseQuantity, quantityMilli } from '../../quantity.ts'
import { ipWarnings } from '../ip-warnings.ts'
import { entriesOf, entry, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { deprecatedNodeLabel } from '../node-labels.ts'
import { accept, isAccepted } from './accepted.ts'
import { containerAnnotationWarnings, podSeccompWarning } from './annotations.ts'
import { eachContainer } from './security.ts'
import { volumePathWarnings } from './volume-paths.ts'

/** Volume plugins that are gone or going, in upstream's order. */
const OLD_VOLUMES: readonly (readonly [field: string, shown: string, text: string])[] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]

/** Annotations that mean nothing any more. */
const OLD_ANNOTATIONS: readonly (readonly [name: string, text: string])[] = [
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
]

/** A text for names of pods. */
export function podNameWarning(name: string): string[] {
  const problems = isDns1123Label(name)
  if (problems.length === 0) return []
  return [
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; " +
      `a DNS label is recommended: [${problems.join(' ')}]`,
  ]
}

/** A text for names of objects whose pods have it in their names. */
export function nameWarning(name: string): string[] {
  const problems = isDns1123Label(name)
  if (problems.length === 0) return []
  return [
    'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; ' +
      `a DNS label is recommended: [${problems.join(' ')}]`,
  ]
}

/** Of an object with a pod template: on create, and when an update changes what the object is to be. */
export function templateWarnings(object: Json, old: Json, template: Json, path: string): string[] {
  if (old !== undefined && old.metadata.generation === object.metadata.generation) return []
  return podWarnings(template, path)
}

/** Of annotations that mean something to Kubernetes. */
const KUBERNETES = 'kubernetes.io/'

/** As {@link podWarnings} of a pod: pods of one template are not looked at again when one gave no warnings. */
export function newPodWarnings(pod: Json): string[] {
  const spec: Json = pod.spec
  // Those are looked at together with the spec.
  const noted = Object.keys(pod.metadata.annotations ?? {}).some((name) => name.includes(KUBERNETES))
  if (noted || !isSet(spec)) return podWarnings(pod)
  if (isAccepted(spec, 'silent')) return []
  const out = podWarnings(pod)
  if (out.length === 0) accept(spec, 'silent')
  return out
}

/** @param path of the template, '' for a pod itself */
export function podWarnings(pod: Json, path = ''): string[] {
  const out: string[] = []
  const spec: Json = pod?.spec ?? {}
  const at = child(path, 'spec')
  for (const [label] of entriesOf(spec.nodeSelector)) {
    const text = deprecatedNodeLabel(label)
    if (text !== undefined) out.push(`${key(child(at, 'nodeSelector'), label)}: ${text}`)
  }
  nodeAffinity(spec.affinity?.nodeAffinity, child(at, 'affinity.nodeAffinity'), out)
  listOf(spec.topologySpreadConstraints).forEach((constraint, i) => {
    const here = index(child(at, 'topologySpreadConstraints'), i)
    const text = deprecatedNodeLabel(String(constraint.topologyKey))
    if (text !== undefined) out.push(`${child(here, 'topologyKey')}: ${String(constraint.topologyKey)} is ${text}`)
    if (!isSet(constraint.labelSelector)) {
      out.push(`${child(here, 'labelSelector')}: a null labelSelector results in matching no pod`)
    }
  })
  const annotations: Json = pod?.metadata?.annotations
  const notes = child(path, 'metadata.annotations')
  if (isSet(annotations)) {
    for (const [name, text] of OLD_ANNOTATIONS) {
      if (entry(annotations, name) !== undefined) out.push(`${key(notes, name)}: ${text}`)
    }
  }
  const volumes = listOf(spec.volumes)
  volumes.forEach((volume, i) => volumeWarnings(volume, index(child(at, 'volumes'), i), out))
  for (const volume of volumes) volumePathWarnings(volume, out)
  repeated(spec.hostAliases, 'ip', child(at, 'hostAliases'), out)
  repeated(spec.imagePullSecrets, 'name', child(at, 'imagePullSecrets'), out)
  listOf(spec.imagePullSecrets).forEach((secret, i) => {
    if (!secret.name) out.push(`${index(child(at, 'imagePullSecrets'), i)}.name: invalid empty name ""`)
  })
  fractions(spec.overhead, child(at, 'overhead'), out)
  if (isSet(annotations)) podSeccompWarning(annotations, spec, notes, out)
  eachContainer(spec, at, (container, here) => {
    if (isSet(annotations)) containerAnnotationWarnings(annotations, spec, container, notes, path !== '', out)
    fractions(container.resources?.limits, `${here}.resources.limits`, out)
    fractions(container.resources?.requests, `${here}.resources.requests`, out)
    hidden(container.env, child(here, 'env'), out)
  })
  ports(spec, at, out)
  if (isSet(spec.terminationGracePeriodSeconds) && spec.terminationGracePeriodSeconds < 0) {
    const text = 'must be >= 0; negative values are invalid and will be treated as 1'
    out.push(`${child(at, 'terminationGracePeriodSeconds')}: ${text}`)
  }
  for (const kind of ['podAffinity', 'podAntiAffinity']) affinity(spec.affinity?.[kind], `${at}.affinity.${kind}`, out)
  listOf(spec.dnsConfig?.nameservers).forEach((server, i) => {
    out.push(...ipWarnings(String(server), index(child(at, 'dnsConfig.nameservers'), i)))
  })
  listOf(spec.hostAliases).forEach((alias, i) => {
    out.push(...ipWarnings(alias.ip ?? '', `${index(child(at, 'hostAliases'), i)}.ip`))
  })
  return out
}

function nodeAffinity(affinity: Json, path: string, out: string[]): void {
  const required = `${path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`
  const terms = listOf(affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms)
  terms.forEach((term, i) => nodeTerm(term, false, index(required, i), out))
  const preferred = `${path}.preferredDuringSchedulingIgnoredDuringExecution`
  listOf(affinity?.preferredDuringSchedulingIgnoredDuringExecution).forEach((weighted, i) => {
    nodeTerm(weighted.preference, true, `${index(preferred, i)}.preference`, out)
  })
}

function nodeTerm(term: Json, values: boolean, path: string, out: string[]): void {
  listOf(term?.matchExpressions).forEach((expression, i) => {
    const at = index(child(path, 'matchExpressions'), i)
    const text = deprecatedNodeLabel(expression.key)
    if (text !== undefined) out.push(`${at}.key: ${expression.key} is ${text}`)
    if (!values) return
    listOf(expression.values).forEach((value, k) => {
      for (const problem of isLabelValue(String(value)))
        out.push(`${index(child(at, 'values'), k)}: ${value} is invalid, ${problem}`)
    })
  })
}

function volumeWarnings(volume: Json, path: string, out: string[]): void {
  for (const [field, shown, text] of OLD_VOLUMES) {
    if (isSet(volume[field])) out.push(`${child(path, shown)}: ${text}`)
  }
  const claim: Json = volume.ephemeral?.volumeClaimTemplate?.spec
  if (!isSet(claim)) return
  for (const field of ['requests', 'limits']) {
    fraction(claim.resources?.[field], 'storage', `${path}.ephemeral.volumeClaimTemplate.spec.resources.${field}`, out)
  }
}

function repeated(list: Json, field: string, path: string, out: string[]): void {
  const seen = new Set<unknown>()
  listOf(list).forEach((item, i) => {
    const value: Json = item[field] ?? ''
    if (seen.has(value)) out.push(`${index(path, i)}.${field}: duplicate ${field} ${JSON.stringify(value)}`)
    seen.add(value)
  })
}

function fractions(list: Json, path: string, out: string[]): void {
  for (const name of ['memory', 'ephemeral-storage']) fraction(list, name, path, out)
}

function fraction(list: Json, name: string, path: string, out: string[]): void {
  const text: Json = entry(list, name)
  const quantity = isSet(text) ? parseQuantity(String(text)) : undefined
  if (quantity === undefined || quantityMilli(quantity) % 1000n === 0n) return
  out.push(`${key(path, name)}: fractional byte value ${JSON.stringify(String(text))} is invalid, must be an integer`)
}

/** A variable that is defined again without what it was before. */
function hidden(env: Json, path: string, out: string[]): void {
  const seen = new Set<string>()
  listOf(env).forEach((variable, i) => {
    const name: string = variable.name ?? ''
    const reference = `$(${name})`
    const value: string = variable.value ?? ''
    const bad = isSet(variable.valueFrom) || value === reference || !value.includes(reference)
    if (seen.has(name) && bad) {
      const text = `hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`
      out.push(`${index(path, i)}: ${text}`)
    }
    seen.add(name)
  })
}

interface Port {
  readonly path: string
  readonly hostIp: string
  readonly hostPort: number
}

/** As Go prints the struct. */
function shownPort({ name = '', hostPort = 0, containerPort, protocol = '', hostIP }: Json): string {
  return `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`
}

function ports(spec: Json, at: string, out: string[]): void {
  const all = new Map<string, Port[]>()
  eachContainer(spec, at, (container, here) => {
    listOf(container.ports).forEach((port, i) => {
      const own: Port = {
        path: index(child(here, 'ports'), i),
        hostIp: port.hostIP ?? '',
        hostPort: port.hostPort ?? 0,
      }
      if (own.hostIp !== '' && own.hostPort === 0)
        out.push(`${own.path}: hostIP set without hostPort: ${shownPort(port)}`)
      const pair = `${String(port.containerPort)}/${String(port.protocol)}`
      const others = all.get(pair) ?? []
      for (const other of others) {
        const same = own.hostPort === other.hostPort
        if (same && own.hostIp === other.hostIp) out.push(`${own.path}: duplicate port definition with ${other.path}`)
        else if (own.hostPort === 0 || other.hostPort === 0) {
          out.push(`${own.path}: overlapping port definition with ${other.path}`)
        } else if (same && (own.hostIp === '') !== (other.hostIp === '')) {
          out.push(`${own.path}: dangerously ambiguous port definition with ${other.path}`)
        }
      }
      all.set(pair, [...others, own])
    })
  })
  const names = new Map<string, string>()
  eachContainer(spec, at, (container, here) => {
    listOf(container.ports).forEach((port, i) => {
      if (!port.name) return
      const path = index(child(here, 'ports'), i)
      const first = names.get(port.name as string)
      if (first === undefined) names.set(port.name as string, path)
      else {
        const text = `services and probes that select ports by name will use ${first}`
        out.push(`${path}: duplicate port name ${JSON.stringify(port.name)} with ${first}, ${text}`)
      }
    })
  })
}

function affinity(terms: Json, path: string, out: string[]): void {
  const check = (term: Json, at: string): void => {
    if (!isSet(term.labelSelector)) {
      out.push(`${child(at, 'labelSelector')}: a null labelSelector results in matching no pod`)
    }
  }
  const required = child(path, 'requiredDuringSchedulingIgnoredDuringExecution')
  listOf(terms?.requiredDuringSchedulingIgnoredDuringExecution).forEach((term, i) => check(term, index(required, i)))
  const preferred = child(path, 'preferredDuringSchedulingIgnoredDuringExecution')
  listOf(terms?.preferredDuringSchedulingIgnoredDuringExecution).forEach((weighted, i) => {
    check(weighted.podAffinityTerm ?? {}, `${index(preferred, i)}.podAffinityTerm`)
  })
}
