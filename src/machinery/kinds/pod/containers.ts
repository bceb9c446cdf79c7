/** The containers of a pod: regular, init and ephemeral ones. */
import { child, duplicate, forbidden, index, invalid, notFound, notSupported, required, tooMany } from '../../field.ts'
import { isPortName, isPortNumber } from '../../names.ts'
import { dnsLabel, each, oneOf, requiredOneOf, unique } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { entriesOf, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { containerResourceName, resourceRequirements } from '../resources.ts'
import { env, envFrom } from './env.ts'
import { devices, mounts } from './mounts.ts'
import { lifecycle, livenessProbe, readinessProbe, startupProbe } from './probes.ts'
import { containerSecurity } from './security.ts'
import type { VolumesByName } from './volumes.ts'

/** What the containers of one pod share. */
export interface ContainerContext {
  readonly spec: Json
  readonly volumes: VolumesByName
  /** The names of `spec.resourceClaims`. */
  readonly claims: ReadonlySet<string>
}

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const RESTART = ['Always', 'Never', 'OnFailure']

/** `spec.containers`. */
export function containers(context: ContainerContext, path: string, out: Errors): void {
  const list = listOf(context.spec.containers)
  if (list.length === 0) {
    out.push(required(path))
    return
  }
  const names = new Set<string>()
  list.forEach((container, i) => {
    const at = index(path, i)
    common(container, context, at, out)
    unique(names, container.name ?? '', child(at, 'name'), out)
    hooks(container, context, at, out)
    restartPolicy(container, at, out)
  })
  hostPorts(list, path, out)
}

function hooks(container: Json, { spec }: ContainerContext, at: string, out: Errors): void {
  if (isSet(container.lifecycle)) {
    lifecycle(container.lifecycle, spec.terminationGracePeriodSeconds, spec.os, child(at, 'lifecycle'), out)
  }
  livenessProbe(container.livenessProbe, child(at, 'livenessProbe'), out)
  readinessProbe(container.readinessProbe, child(at, 'readinessProbe'), out)
  startupProbe(container.startupProbe, child(at, 'startupProbe'), out)
}

/** `spec.initContainers`. Those with restart policy Always are sidecars and may have probes and hooks. */
export function initContainers(context: ContainerContext, path: string, out: Errors): void {
  const names = new Set<string>(listOf(context.spec.containers).map((c) => c.name ?? ''))
  listOf(context.spec.initContainers).forEach((container, i) => {
    const at = index(path, i)
    common(container, context, at, out)
    const sidecar = container.restartPolicy === 'Always'
    restartPolicy(container, at, out, false)
    if (container.name || names.has('')) unique(names, container.name ?? '', child(at, 'name'), out)
    hostPorts([container], path, out)
    if (sidecar) hooks(container, context, at, out)
    else {
      for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe']) {
        if (!isSet(container[field])) continue
        out.push(forbidden(child(at, field), 'may not be set for init containers without restartPolicy=Always'))
      }
      listOf(container.resizePolicy).forEach((policy, j) => {
        if (policy.restartPolicy !== 'RestartContainer') return
        const detail = "must not be set to 'RestartContainer' for non-sidecar initContainers"
        out.push(invalid(`${at}.resizePolicy[${j}].restartPolicy`, policy.restartPolicy, detail))
      })
    }
  })
}

/** What an ephemeral container may not have, in the order of its fields. */
const NOT_EPHEMERAL = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
]

/** `spec.ephemeralContainers`. */
export function ephemeralContainers(context: ContainerContext, path: string, out: Errors): void {
  const { spec } = context
  const others = new Set<string>([...listOf(spec.containers), ...listOf(spec.initContainers)].map((c) => c.name ?? ''))
  const names = new Set(others)
  listOf(spec.ephemeralContainers).forEach((container, i) => {
    const at = index(path, i)
    common(container, context, at, out)
    trimmedImage(container, at, out)
    unique(names, container.name ?? '', child(at, 'name'), out)
    const target: Json = container.targetContainerName
    if (target && !others.has(target)) out.push(notFound(child(at, 'targetContainerName'), target))
    for (const field of NOT_EPHEMERAL) {
      if (isUsed(container[field], field)) {
        out.push(forbidden(child(at, field), 'cannot be set for an Ephemeral Container'))
      }
    }
    listOf(container.volumeMounts).forEach((mount, j) => {
      for (const field of ['subPath', 'subPathExpr']) {
        if (!mount[field]) continue
        out.push(forbidden(`${at}.volumeMounts[${j}].${field}`, 'cannot be set for an Ephemeral Container'))
      }
    })
  })
}

function isUsed(value: Json, field: string): boolean {
  if (!isSet(value)) return false
  if (field !== 'resources') return !Array.isArray(value) || value.length > 0
  return entriesOf(value).some(([, part]) => entriesOf(part).length > 0)
}

/** Pods, unlike templates, may not have blanks around an image. */
export function trimmedImage(container: Json, path: string, out: Errors): void {
  const image: string = container.image ?? ''
  if (image.trim() !== image) {
    out.push(invalid(child(path, 'image'), image, 'must not have leading or trailing whitespace'))
  }
}

function common(container: Json, context: ContainerContext, path: string, out: Errors): void {
  const { spec, volumes, claims } = context
  if (!container.name) out.push(required(child(path, 'name')))
  else dnsLabel(container.name, child(path, 'name'), out)
  if (!container.image) out.push(required(child(path, 'image')))
  const policies = ['File', 'FallbackToLogsOnError']
  requiredOneOf(container.terminationMessagePolicy, policies, child(path, 'terminationMessagePolicy'), out)
  ports(container.ports, child(path, 'ports'), out)
  env(container.env, child(path, 'env'), out)
  envFrom(container.envFrom, child(path, 'envFrom'), out)
  mounts(container, volumes, child(path, 'volumeMounts'), out)
  devices(container, volumes, child(path, 'volumeDevices'), out)
  requiredOneOf(container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never'], child(path, 'imagePullPolicy'), out)
  resourceRequirements(container.resources, { name: containerResourceName, claims }, child(path, 'resources'), out)
  resizePolicy(container.resizePolicy, spec.restartPolicy, child(path, 'resizePolicy'), out)
  containerSecurity(container.securityContext, spec.hostUsers !== false, child(path, 'securityContext'), out)
}

function ports(list: Json, path: string, out: Errors): void {
  const names = new Set<string>()
  listOf(list).forEach((port, i) => {
    const at = index(path, i)
    if (port.name) {
      const messages = isPortName(port.name)
      if (messages.length > 0) each(messages, child(at, 'name'), port.name, out)
      else unique(names, port.name, child(at, 'name'), out)
    }
    if (!port.containerPort) out.push(required(child(at, 'containerPort')))
    else each(isPortNumber(port.containerPort), child(at, 'containerPort'), port.containerPort, out)
    if (port.hostPort) each(isPortNumber(port.hostPort), child(at, 'hostPort'), port.hostPort, out)
    requiredOneOf(port.protocol, PROTOCOLS, child(at, 'protocol'), out)
  })
}

function hostPorts(list: readonly Json[], path: string, out: Errors): void {
  const seen = new Set<string>()
  list.forEach((container, i) => {
    listOf(container.ports).forEach((port, j) => {
      if (!port.hostPort) return
      const text = `${String(port.protocol ?? '')}/${String(port.hostIP ?? '')}/${String(port.hostPort)}`
      unique(seen, text, `${index(path, i)}.ports[${j}].hostPort`, out)
    })
  })
}

function resizePolicy(list: Json, podPolicy: Json, path: string, out: Errors): void {
  const seen = new Set<string>()
  listOf(list).forEach((policy, i) => {
    const resource: string = policy.resourceName ?? ''
    if (seen.has(resource)) out.push(duplicate(index(path, i), resource))
    seen.add(resource)
    requiredOneOf(resource, ['cpu', 'memory'], path, out)
    requiredOneOf(policy.restartPolicy, ['NotRequired', 'RestartContainer'], path, out)
    if (podPolicy === 'Never' && policy.restartPolicy !== 'NotRequired') {
      const detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
      out.push(invalid(path, policy.restartPolicy ?? '', detail))
    }
  })
}

/** `rulesAlone`: rules are looked at also where the policy that they need is missing. */
function restartPolicy(container: Json, path: string, out: Errors, rulesAlone = true): void {
  const rules = listOf(container.restartPolicyRules)
  const at = child(path, 'restartPolicy')
  if (!isSet(container.restartPolicy)) {
    if (rules.length === 0) return
    out.push(required(at, 'must specify restartPolicy when restart rules are used'))
    if (!rulesAlone) return
  } else if (!RESTART.includes(container.restartPolicy)) out.push(notSupported(at, container.restartPolicy, RESTART))
  const rulesPath = child(path, 'restartPolicyRules')
  if (rules.length > 20) out.push(tooMany(rulesPath, rules.length, 20))
  rules.forEach((rule, i) => {
    const rulePath = index(rulesPath, i)
    oneOf(rule.action, ['Restart', 'RestartAllContainers'], child(rulePath, 'action'), out)
    if (!isSet(rule.exitCodes)) {
      out.push(required(child(rulePath, 'exitCodes'), 'must be specified'))
      return
    }
    oneOf(rule.exitCodes.operator, ['In', 'NotIn'], `${rulePath}.exitCodes.operator`, out)
    const values = listOf(rule.exitCodes.values)
    if (values.length > 255) out.push(tooMany(`${rulePath}.exitCodes.values`, values.length, 255))
  })
}
