/** The sources of a projected volume. */
import { child, forbidden, index, invalid, notSupported, required } from '../../field.ts'
import { isDns1123Subdomain, isQualifiedName } from '../../names.ts'
import { each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { entriesOf, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { validateLabelSelector } from '../labels.ts'
import { unreservedPath } from '../paths.ts'
import { isKubernetesSigner, signerName } from '../signer.ts'
import { downwardFile, fileUser, keyToPath } from './files.ts'

const KEY_TYPES = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519']
/** Seconds: 91 days, and 24 hours for Kubernetes' own signers. */
const MAX_EXPIRATION = 91 * 86400
const MAX_KUBERNETES_EXPIRATION = 86400

/** Checks all sources; no two may write the same file. */
export function projectedSources(volume: Json, path: string, out: Errors): void {
  const taken = new Set<string>()
  const take = (file: string, shown: Json): void => {
    if (taken.has(file)) out.push(invalid(path, shown, 'conflicting duplicate paths'))
    else taken.add(file)
  }
  listOf(volume.sources).forEach((source, i) => {
    const at = index(child(path, 'sources'), i)
    let found = 0
    for (const kind of ['secret', 'configMap']) {
      const value: Json = source[kind]
      if (!isSet(value)) continue
      found++
      const inner = child(at, kind)
      if (!value.name) out.push(required(child(inner, 'name')))
      listOf(value.items).forEach((item, j) => {
        keyToPath(item, index(child(inner, 'items'), j), out)
        if (item.path) take(item.path, value.name ?? '')
      })
    }
    if (isSet(source.downwardAPI)) {
      found++
      for (const file of listOf(source.downwardAPI.items)) {
        downwardFile(file, child(at, 'downwardAPI'), out)
        if (file.path) take(file.path, file.path)
      }
    }
    if (isSet(source.serviceAccountToken)) {
      found++
      token(source.serviceAccountToken, child(at, 'serviceAccountToken'), path, out)
    }
    if (isSet(source.clusterTrustBundle)) {
      found++
      trustBundle(source.clusterTrustBundle, child(at, 'clusterTrustBundle'), out)
      take(source.clusterTrustBundle.path ?? '', source.clusterTrustBundle.path ?? '')
    }
    if (isSet(source.podCertificate)) {
      found++
      podCertificate(source.podCertificate, child(at, 'podCertificate'), take, out)
    }
    if (found > 1) out.push(forbidden(at, 'may not specify more than 1 volume type per source'))
  })
}

function token(value: Json, path: string, volume: string, out: Errors): void {
  const at = child(path, 'expirationSeconds')
  const seconds: Json = value.expirationSeconds
  if (!isSet(seconds)) out.push(required(at))
  else {
    if (seconds < 600) out.push(invalid(at, seconds, 'may not specify a duration less than 10 minutes'))
    if (seconds > 2 ** 32) out.push(invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds'))
  }
  // Upstream reports the file's path at the volume.
  if (!value.path) out.push(required(child(volume, 'path')))
  else unreservedPath(value.path, child(volume, 'path'), out)
  fileUser(value.user, child(path, 'user'), out)
}

function trustBundle(value: Json, path: string, out: Errors): void {
  const byName = isSet(value.name)
  const bySigner = isSet(value.signerName)
  if (byName && bySigner) {
    const { name, signerName: signer, labelSelector = null, optional = null, path: file = '', user } = value
    const shown = {
      Name: name,
      SignerName: signer,
      LabelSelector: labelSelector,
      Optional: optional,
      Path: file,
      User: user ?? null,
    }
    out.push(invalid(path, shown, 'only one of name and signerName may be used'))
  } else if (byName) {
    if (value.name === '') out.push(required(child(path, 'name'), 'must be a valid object name'))
    for (const message of trustBundleName(value.name)) {
      out.push(invalid(child(path, 'name'), value.name, `not a valid clustertrustbundlename: ${message}`))
    }
    if (isSet(value.labelSelector)) {
      const detail = 'labelSelector must be unset if name is specified'
      out.push(invalid(child(path, 'labelSelector'), value.labelSelector, detail))
    }
  } else if (bySigner) {
    if (value.signerName === '') out.push(required(child(path, 'signerName'), 'must be a valid signer name'))
    signerName(value.signerName, child(path, 'signerName'), out)
    out.push(...validateLabelSelector(value.labelSelector, child(path, 'labelSelector')))
  } else out.push(required(path, 'either name or signerName must be specified'))
  if (!value.path) out.push(required(child(path, 'path')))
  fileUser(value.user, child(path, 'user'), out)
  unreservedPath(value.path ?? '', child(path, 'path'), out)
}

function userAnnotation(name: string, path: string, out: Errors): void {
  const messages = isQualifiedName(name)
  if (messages.length > 0) each(messages, path, name, out)
  else if (!name.includes('/')) out.push(invalid(path, name, 'must be a domain-prefixed key (such as "acme.io/foo")'))
}

/** `signer:domain:name`, or a plain name. */
function trustBundleName(name: string): string[] {
  const last = name.lastIndexOf(':')
  return isDns1123Subdomain(last < 0 ? name : name.slice(last + 1))
}

function podCertificate(value: Json, path: string, take: (file: string, shown: Json) => void, out: Errors): void {
  signerName(value.signerName ?? '', child(path, 'signerName'), out)
  for (const [name] of entriesOf(value.userAnnotations))
    userAnnotation(name.toLowerCase(), child(path, 'userAnnotations'), out)
  fileUser(value.user, child(path, 'user'), out)
  if (!KEY_TYPES.includes(value.keyType)) out.push(notSupported(child(path, 'keyType'), value.keyType ?? '', KEY_TYPES))
  const seconds: Json = value.maxExpirationSeconds
  if (isSet(seconds)) {
    const at = child(path, 'maxExpirationSeconds')
    if (seconds < 3600) out.push(invalid(at, seconds, 'if provided, maxExpirationSeconds must be >= 3600'))
    const most = isKubernetesSigner(value.signerName ?? '') ? MAX_KUBERNETES_EXPIRATION : MAX_EXPIRATION
    if (seconds > most) out.push(invalid(at, seconds, `if provided, maxExpirationSeconds must be <= ${most}`))
  }
  let files = 0
  for (const field of ['credentialBundlePath', 'keyPath', 'certificateChainPath']) {
    if (!value[field]) continue
    files++
    unreservedPath(value[field], child(path, field), out)
    take(value[field], value[field])
  }
  if (files === 0) {
    out.push(required(path, 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath'))
  }
}
