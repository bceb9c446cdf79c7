/** Probes and lifecycle hooks of a container. */
import { child, forbidden, invalid, required } from '../../field.ts'
import { isHttpHeaderName, isPortName, isPortNumber } from '../../names.ts'
import { each, nonNegative, oneOf } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'

/** Signals that a Linux container may ask to be stopped with, in the order of the message. */
const REALTIME = [
  'SIGRTMAX',
  ...Array.from({ length: 14 }, (_, i) => `SIGRTMAX-${i + 1}`),
  'SIGRTMIN',
  ...Array.from({ length: 15 }, (_, i) => `SIGRTMIN+${i + 1}`),
]
const LINUX_SIGNALS = [
  ...'SIGABRT SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGIOT SIGKILL SIGPIPE'.split(
    ' ',
  ),
  ...'SIGPOLL SIGPROF SIGPWR SIGQUIT SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN'.split(' '),
  ...'SIGTTOU SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ'.split(' '),
  ...REALTIME,
].sort()
const WINDOWS_SIGNALS = ['SIGKILL', 'SIGTERM']

/** A number, or the name of a container's port. */
export function portNumberOrName(port: Json, path: string, out: Errors): void {
  if (typeof port === 'string') each(isPortName(port), path, port, out)
  else each(isPortNumber(port ?? 0), path, port ?? 0, out)
}

export function livenessProbe(probe: Json, path: string, out: Errors): void {
  if (!isSet(probe)) return
  validateProbe(probe, path, out)
  onlyOneSuccess(probe, path, out)
}

export function startupProbe(probe: Json, path: string, out: Errors): void {
  livenessProbe(probe, path, out)
}

export function readinessProbe(probe: Json, path: string, out: Errors): void {
  if (!isSet(probe)) return
  validateProbe(probe, path, out)
  const grace: Json = probe.terminationGracePeriodSeconds
  if (isSet(grace)) {
    out.push(invalid(child(path, 'terminationGracePeriodSeconds'), grace, 'must not be set for readinessProbes'))
  }
}

function onlyOneSuccess(probe: Json, path: string, out: Errors): void {
  const threshold: number = probe.successThreshold ?? 0
  if (threshold !== 1) out.push(invalid(child(path, 'successThreshold'), threshold, 'must be 1'))
}

function validateProbe(probe: Json, path: string, out: Errors): void {
  handler(probe, undefined, path, out)
  for (const field of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ]) {
    nonNegative(probe[field], child(path, field), out)
  }
  const grace: Json = probe.terminationGracePeriodSeconds
  if (isSet(grace) && grace <= 0) {
    out.push(invalid(child(path, 'terminationGracePeriodSeconds'), grace, 'must be greater than 0'))
  }
}

/** The hooks of a container. `os` is `spec.os`, `grace` the pod's grace period. */
export function lifecycle(value: Json, grace: Json, os: Json, path: string, out: Errors): void {
  if (isSet(value.postStart)) handler(value.postStart, grace, child(path, 'postStart'), out)
  if (isSet(value.preStop)) handler(value.preStop, grace, child(path, 'preStop'), out)
  if (!isSet(value.stopSignal)) return
  const at = child(path, 'stopSignal')
  if (!isSet(os)) out.push(forbidden(at, 'may not be set for containers with empty `spec.os.name`'))
  else if (os.name === 'windows') oneOf(value.stopSignal, WINDOWS_SIGNALS, at, out)
  else if (os.name === 'linux') oneOf(value.stopSignal, LINUX_SIGNALS, at, out)
}

type HandlerCheck = (value: Json, path: string, out: Errors, grace: Json) => void

const HANDLERS: readonly (readonly [string, HandlerCheck])[] = [
  ['exec', exec],
  ['httpGet', httpGet],
  ['tcpSocket', (value, path, out) => portNumberOrName(value.port, child(path, 'port'), out)],
  ['grpc', grpc],
  ['sleep', sleep],
]

function handler(value: Json, grace: Json, path: string, out: Errors): void {
  let found = 0
  for (const [field, check] of HANDLERS) {
    if (!isSet(value[field])) continue
    if (found > 0) out.push(forbidden(child(path, field), 'may not specify more than 1 handler type'))
    else check(value[field], child(path, field), out, grace)
    found++
  }
  if (found === 0) out.push(required(path, 'must specify a handler type'))
}

function exec(value: Json, path: string, out: Errors): void {
  if (listOf(value.command).length === 0) out.push(required(child(path, 'command')))
}

function httpGet(value: Json, path: string, out: Errors): void {
  if (!value.path) out.push(required(child(path, 'path')))
  portNumberOrName(value.port, child(path, 'port'), out)
  oneOf(value.scheme, ['HTTP', 'HTTPS'], child(path, 'scheme'), out)
  for (const header of listOf(value.httpHeaders)) {
    each(isHttpHeaderName(header.name ?? ''), child(path, 'httpHeaders'), header.name ?? '', out)
  }
}

function grpc(value: Json, path: string, out: Errors): void {
  portNumberOrName(Number(value.port ?? 0), child(path, 'port'), out)
}

function sleep(value: Json, path: string, out: Errors, grace: Json): void {
  const seconds: number = value.seconds ?? 0
  if (!isSet(grace) || (seconds >= 0 && seconds <= grace)) return
  const detail = `must be non-negative and less than terminationGracePeriodSeconds (${String(grace)})`
  out.push(invalid(path, seconds, detail))
}
