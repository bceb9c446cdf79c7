/** Annotations of pods and templates that mean something: mirror pods, deletion cost, old seccomp and AppArmor ones. */
import { child, forbidden, invalid, key as keyed } from '../../field.ts'
import type { Errors } from '../checks.ts'
import { entriesOf, entry, isSet } from '../json.ts'
import type { Json } from '../json.ts'
import { relativePath } from '../paths.ts'
import { eachContainer } from './security.ts'

/** Marks a pod that the kubelet took from a file. */
export const MIRROR = 'kubernetes.io/config.mirror'
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/'
const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/'

const INTEGER = /^(?:0|-?[1-9][0-9]{0,9})$/

/** What is checked of a pod's or a template's annotations. */
export function podAnnotations(map: Json, spec: Json, path: string, out: Errors): void {
  const mirror: Json = entry(map, MIRROR)
  if (mirror !== undefined && !spec.nodeName) {
    out.push(invalid(keyed(path, MIRROR), mirror, 'must set spec.nodeName if mirror pod annotation is set'))
  }
  const cost: Json = entry(map, DELETION_COST)
  if (cost !== undefined && !(INTEGER.test(cost) && Number(cost) === (Number(cost) | 0))) {
    out.push(invalid(keyed(path, DELETION_COST), cost, 'must be a 32bit integer'))
  }
  for (const [name, value] of entriesOf(map)) {
    if (name === SECCOMP_POD || name.startsWith(SECCOMP_CONTAINER)) seccompValue(value, child(path, name), out)
  }
  for (const [name, value] of entriesOf(map)) {
    if (!name.startsWith(APPARMOR)) continue
    const container = name.slice(APPARMOR.length)
    if (!hasContainer(spec, container)) out.push(invalid(keyed(path, name), container, 'container not found'))
    if (
      value !== '' &&
      value !== 'runtime/default' &&
      value !== 'unconfined' &&
      !String(value).startsWith('localhost/')
    ) {
      out.push(invalid(keyed(path, name), value, `invalid AppArmor profile name: ${JSON.stringify(value)}`))
    }
  }
}

function seccompValue(value: string, path: string, out: Errors): void {
  if (value === 'runtime/default' || value === 'docker/default' || value === 'unconfined') return
  if (value.startsWith('localhost/')) relativePath(value.slice('localhost/'.length), path, out)
  else out.push(invalid(path, value, 'must be a valid seccomp profile'))
}

function hasContainer(spec: Json, name: string): boolean {
  let found = false
  eachContainer(spec, '', (container) => {
    if (container.name === name) found = true
  })
  return found
}

/** Annotations and fields that say the same thing must agree. */
export function annotationsMatchFields(map: Json, spec: Json, path: string, out: Errors): void {
  const pod: Json = spec.securityContext
  seccompMatches(entry(map, SECCOMP_POD), pod?.seccompProfile, `${path}.securityContext.seccompProfile`, out)
  eachContainer(spec, path, (container, at) => {
    const value: Json = entry(map, SECCOMP_CONTAINER + String(container.name))
    seccompMatches(value, container.securityContext?.seccompProfile, `${at}.securityContext.seccompProfile`, out)
  })
  if (spec.os?.name === 'windows') return
  eachContainer(spec, path, (container, at) => {
    const profile: Json = container.securityContext?.appArmorProfile ?? pod?.appArmorProfile
    const value: Json = entry(map, APPARMOR + String(container.name))
    profileMatches(value, profile, 'apparmor', `${at}.securityContext.appArmorProfile`, out)
  })
}

function seccompMatches(value: Json, profile: Json, path: string, out: Errors): void {
  profileMatches(value === 'docker/default' ? 'runtime/default' : value, profile, 'seccomp', path, out)
}

function profileMatches(value: Json, profile: Json, what: string, path: string, out: Errors): void {
  if (value === undefined || !isSet(profile)) return
  const type = `${what} type in annotation and field must match`
  if (profile.type === 'Unconfined' && value !== 'unconfined') out.push(forbidden(child(path, 'type'), type))
  if (profile.type === 'RuntimeDefault' && value !== 'runtime/default') out.push(forbidden(child(path, 'type'), type))
  if (profile.type !== 'Localhost') return
  if (!String(value).startsWith('localhost/')) out.push(forbidden(child(path, 'type'), type))
  else if (profile.localhostProfile !== String(value).slice('localhost/'.length)) {
    out.push(forbidden(child(path, 'localhostProfile'), `${what} profile in annotation and field must match`))
  }
}

/** What an update may not do to them. */
export function podAnnotationsUpdate(map: Json, old: Json, path: string, out: Errors): void {
  for (const [name, before] of entriesOf(old)) {
    if (entry(map, name) === before) continue
    if (name.startsWith(APPARMOR))
      out.push(forbidden(keyed(path, name), 'may not remove or update AppArmor annotations'))
    if (name === MIRROR) out.push(forbidden(keyed(path, name), 'may not remove or update mirror pod annotation'))
  }
  for (const [name] of entriesOf(map)) {
    if (entry(old, name) !== undefined) continue
    if (name.startsWith(APPARMOR)) out.push(forbidden(keyed(path, name), 'may not add AppArmor annotations'))
    if (name === MIRROR) out.push(forbidden(keyed(path, name), 'may not add mirror pod annotation'))
  }
}

/** Copies the old AppArmor annotation of a container into its field, where the field is not set. */
export function appArmorFromAnnotations(pod: Json): void {
  if (pod.spec.os?.name === 'windows') return
  const whole: Json = pod.spec.securityContext?.appArmorProfile
  eachContainer(pod.spec, '', (container) => {
    const value: Json = entry(pod.metadata.annotations, APPARMOR + String(container.name))
    if (value === undefined || isSet(container.securityContext?.appArmorProfile)) return
    const profile = profileOf(value)
    if (profile === undefined) return
    if (isSet(whole) && whole.type === profile.type && whole.localhostProfile === profile.localhostProfile) return
    container.securityContext ??= {}
    container.securityContext.appArmorProfile = profile
  })
}

function profileOf(value: string): { type: string; localhostProfile?: string } | undefined {
  if (value === 'unconfined') return { type: 'Unconfined' }
  if (value === 'runtime/default') return { type: 'RuntimeDefault' }
  if (!value.startsWith('localhost/')) return undefined
  const localhostProfile = value.slice('localhost/'.length)
  if (localhostProfile === '' || localhostProfile.trim() !== localhostProfile) return undefined
  return { type: 'Localhost', localhostProfile }
}

const USE_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
const USE_APPARMOR = 'deprecated since v1.30; use the "appArmorProfile" field instead'

/** A pod's old annotation where there is no field. */
export function podSeccompWarning(map: Json, spec: Json, path: string, out: string[]): void {
  if (isSet(spec.securityContext?.seccompProfile) || entry(map, SECCOMP_POD) === undefined) return
  out.push(`${keyed(path, SECCOMP_POD)}: ${USE_SECCOMP}`)
}

/** The same for a container; of a pod itself, AppArmor is told by {@link appArmorWarnings}. */
export function containerAnnotationWarnings(
  map: Json,
  spec: Json,
  container: Json,
  path: string,
  template: boolean,
  out: string[],
): void {
  const seccomp = SECCOMP_CONTAINER + String(container.name)
  if (!isSet(container.securityContext?.seccompProfile) && entry(map, seccomp) !== undefined)
    out.push(`${keyed(path, seccomp)}: ${USE_SECCOMP}`)
  const appArmor = APPARMOR + String(container.name)
  const value: Json = entry(map, appArmor)
  if (!template || value === undefined || isSet(container.securityContext?.appArmorProfile)) return
  if (!sameProfile(spec.securityContext?.appArmorProfile, profileOf(value)))
    out.push(`${keyed(path, appArmor)}: ${USE_APPARMOR}`)
}

function sameProfile(field: Json, profile: ReturnType<typeof profileOf>): boolean {
  if (!isSet(field) || profile === undefined) return false
  return field.type === profile.type && field.localhostProfile === profile.localhostProfile
}

/** Of a new pod, before its annotations become fields. */
export function appArmorWarnings(pod: Json): string[] {
  const map: Json = pod.metadata.annotations
  const out: string[] = []
  if (!isSet(map) || pod.spec?.os?.name === 'windows') return out
  eachContainer(pod.spec ?? {}, '', (container) => {
    const name = APPARMOR + String(container.name)
    const value: Json = entry(map, name)
    if (value === undefined || isSet(container.securityContext?.appArmorProfile)) return
    if (!sameProfile(pod.spec.securityContext?.appArmorProfile, profileOf(value)))
      out.push(`${keyed('metadata.annotations', name)}: ${USE_APPARMOR}`)
  })
  return out
}
