/**
 * ServiceAccount: every pod runs as a service account that exists, with its pull secrets and, unless somebody said
 * no, the volume with its token, the cluster's CA and the namespace.
 */
import type { KubeObject } from '../../machinery/object.ts'
import { generateName } from '../../machinery/names.ts'
import type { AdmissionPlugin, AdmissionRequest } from './contract.ts'
import { refusal } from './refusal.ts'

const MIRROR = 'kubernetes.io/config.mirror'
const ENFORCE = 'kubernetes.io/enforce-mountable-secrets'
const VOLUME = 'kube-api-access'
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
/** One hour and a bit: the kubelet's refresh never sees a token that the server extended as expired. */
const TOKEN_SECONDS = 3607

interface Mount {
  name: string
  readOnly?: boolean
  mountPath: string
}
interface Container {
  name: string
  volumeMounts?: Mount[]
  env?: { name: string; valueFrom?: { secretKeyRef?: { name: string } } }[]
  envFrom?: { secretRef?: { name: string } }[]
}
interface Volume {
  name: string
  secret?: { secretName?: string }
  projected?: { sources?: { serviceAccountToken?: object; secret?: object }[] }
}
interface PodSpec {
  serviceAccountName?: string
  serviceAccount?: string
  automountServiceAccountToken?: boolean
  imagePullSecrets?: { name: string }[]
  initContainers?: Container[]
  containers?: Container[]
  ephemeralContainers?: Container[]
  volumes?: Volume[]
}

export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  handles: (operation, info, subresource) =>
    info.group === '' &&
    info.resource === 'pods' &&
    ((operation === 'CREATE' && subresource === '') ||
      (operation === 'UPDATE' && subresource === 'ephemeralcontainers')),
  mutate(request) {
    if (request.operation !== 'CREATE') return
    const spec = specOf(request)
    // As upstream, what cannot be is refused before anybody else looks at it.
    if (isMirror(request.object)) {
      refuseMirror(request, spec)
      return
    }
    if (spec.serviceAccountName === undefined || spec.serviceAccountName === '') {
      spec.serviceAccountName = 'default'
      spec.serviceAccount = 'default'
    }
    const account = accountOf(request, spec)
    if (spec.automountServiceAccountToken ?? account['automountServiceAccountToken'] ?? true) {
      mountToken(spec, request.state.random)
    }
    const pull = account['imagePullSecrets'] as { name: string }[] | undefined
    if ((spec.imagePullSecrets ?? []).length === 0 && pull !== undefined && pull.length > 0) {
      spec.imagePullSecrets = pull.map(({ name }) => ({ name }))
    }
    checkSecrets(request, spec, account)
  },
  validate(request) {
    const spec = specOf(request)
    if (isMirror(request.object)) {
      refuseMirror(request, spec)
      return
    }
    const { name, namespace } = request.object.metadata
    if (spec.serviceAccountName === undefined || spec.serviceAccountName === '') {
      throw refusal(request, `no service account specified for pod ${namespace}/${name}`)
    }
    checkSecrets(request, spec, accountOf(request, spec))
  },
}

function checkSecrets(request: AdmissionRequest, spec: PodSpec, account: KubeObject): void {
  if (!enforcesSecrets(account)) return
  const why =
    request.operation === 'CREATE'
      ? forbiddenSecret(spec, account)
      : containerSecret(spec.ephemeralContainers, 'ephemeral container', account)
  if (why !== undefined) throw refusal(request, why)
}

const specOf = (request: AdmissionRequest): PodSpec => (request.object['spec'] ??= {}) as PodSpec

const isMirror = (pod: KubeObject): boolean => Object.hasOwn(pod.metadata.annotations ?? {}, MIRROR)

function accountOf(request: AdmissionRequest, spec: PodSpec): KubeObject {
  const name = spec.serviceAccountName ?? ''
  const found = request.state.find('', 'serviceaccounts', request.namespace, name)
  if (found !== undefined) return found
  const missing = `serviceaccount ${JSON.stringify(name)} not found`
  throw refusal(request, `error looking up service account ${request.namespace}/${name}: ${missing}`)
}

/** Mounts the token volume into every container that has nothing at its path yet. */
function mountToken(spec: PodSpec, random: () => number): void {
  const existing = spec.volumes?.find((volume) => volume.name.startsWith(`${VOLUME}-`))
  const name = existing?.name ?? volumeName(spec, random)
  let mounted = false
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    const mounts = (container.volumeMounts ??= [])
    if (mounts.some((mount) => mount.mountPath === MOUNT_PATH)) continue
    mounts.push({ name, readOnly: true, mountPath: MOUNT_PATH })
    mounted = true
  }
  if (mounted && existing === undefined) (spec.volumes ??= []).push(tokenVolume(name))
}

/**
 * Upstream takes a random name. Here all pods of one account get the same one, so that pods of one template have one
 * spec, which is checked and encoded once for all of them.
 */
function volumeName(spec: PodSpec, random: () => number): string {
  const name = generateName(`${VOLUME}-`, sequence(spec.serviceAccountName ?? ''))
  return spec.volumes?.some((volume) => volume.name === name) === true ? generateName(`${VOLUME}-`, random) : name
}

/** Numbers in [0, 1) that a text decides (a linear congruential generator seeded with its FNV hash). */
function sequence(text: string): () => number {
  let state = 2166136261
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 16777619)
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 0) / 4294967296
  }
}

function tokenVolume(name: string): Volume & { projected: object } {
  const root = { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] }
  const fieldRef = { apiVersion: 'v1', fieldPath: 'metadata.namespace' }
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: root },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef }] } },
      ],
      defaultMode: 420,
    },
  } as Volume & { projected: object }
}

function refuseMirror(request: AdmissionRequest, spec: PodSpec): void {
  if ((spec.serviceAccountName ?? '') !== '') throw refusal(request, 'a mirror pod may not reference service accounts')
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]
  const inContainers = containers.some(
    (c) =>
      (c.env ?? []).some((e) => e.valueFrom?.secretKeyRef !== undefined) ||
      (c.envFrom ?? []).some((e) => e.secretRef !== undefined),
  )
  const sources = (spec.volumes ?? []).flatMap((volume) => volume.projected?.sources ?? [])
  const inVolumes =
    (spec.volumes ?? []).some((v) => v.secret !== undefined) || sources.some((s) => s.secret !== undefined)
  if (inContainers || inVolumes || (spec.imagePullSecrets ?? []).length > 0) {
    throw refusal(request, 'a mirror pod may not reference secrets')
  }
  if (sources.some((s) => s.serviceAccountToken !== undefined)) {
    throw refusal(request, 'a mirror pod may not use ServiceAccountToken volume projections')
  }
}

function enforcesSecrets(account: KubeObject): boolean {
  const annotations = account.metadata.annotations ?? {}
  const value = Object.hasOwn(annotations, ENFORCE) ? annotations[ENFORCE]! : ''
  return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)
}

const namesOf = (list: unknown): ReadonlySet<string> =>
  new Set(((list ?? []) as { name?: string }[]).map(({ name }) => name ?? ''))

function forbiddenSecret(spec: PodSpec, account: KubeObject): string | undefined {
  const allowed = namesOf(account['secrets'])
  const who = account.metadata.name
  for (const { secret } of spec.volumes ?? []) {
    if (secret === undefined || allowed.has(secret.secretName ?? '')) continue
    return `volume with secret.secretName="${secret.secretName}" is not allowed because service account ${who} does not reference that secret`
  }
  const inContainer =
    containerSecret(spec.initContainers, 'init container', account) ??
    containerSecret(spec.containers, 'container', account)
  if (inContainer !== undefined) return inContainer
  const pulls = namesOf(account['imagePullSecrets'])
  const i = (spec.imagePullSecrets ?? []).findIndex(({ name }) => !pulls.has(name))
  if (i < 0) return undefined
  return `imagePullSecrets[${i}].name="${spec.imagePullSecrets![i]!.name}" is not allowed because service account ${who} does not reference that imagePullSecret`
}

function containerSecret(
  list: readonly Container[] | undefined,
  what: string,
  account: KubeObject,
): string | undefined {
  const allowed = namesOf(account['secrets'])
  const who = account.metadata.name
  for (const { name, env, envFrom } of list ?? []) {
    for (const variable of env ?? []) {
      const secret = variable.valueFrom?.secretKeyRef?.name
      if (secret === undefined || allowed.has(secret)) continue
      return `${what} ${name} with envVar ${variable.name} referencing secret.secretName="${secret}" is not allowed because service account ${who} does not reference that secret`
    }
    for (const { secretRef } of envFrom ?? []) {
      if (secretRef === undefined || allowed.has(secretRef.name)) continue
      return `${what} ${name} with envFrom referencing secret.secretName="${secretRef.name}" is not allowed because service account ${who} does not reference that secret`
    }
  }
  return undefined
}
