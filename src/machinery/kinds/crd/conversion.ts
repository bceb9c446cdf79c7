/** How a CustomResourceDefinition converts between its versions. */
import { child, forbidden, index, invalid, notSupported, required } from '../../field.ts'
import { isDns1035Label } from '../../names.ts'
import { each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { servicePath } from '../service-path.ts'

const REVIEW_VERSIONS = ['v1', 'v1beta1']

/** `spec.conversion`. `anyBundle`: a CA bundle that cannot be read is let through, as is one that was stored. */
export function conversion(value: Json, old: Json, anyBundle: boolean, out: Errors): void {
  if (!isSet(value)) return
  const path = 'spec.conversion'
  const config = child(path, 'webhookClientConfig')
  const reviews = child(path, 'conversionReviewVersions')
  const strategy: string = value.strategy ?? ''
  if (strategy === '') out.push(required(child(path, 'strategy')))
  else if (strategy !== 'None' && strategy !== 'Webhook') {
    out.push(notSupported(child(path, 'strategy'), strategy, ['None', 'Webhook']))
  }
  const webhook: Json = value.webhook
  const versionList: readonly string[] = listOf(webhook?.conversionReviewVersions)
  if (strategy !== 'Webhook') {
    const detail = 'should not be set when strategy is not set to Webhook'
    if (isSet(webhook?.clientConfig)) out.push(forbidden(config, detail))
    if (versionList.length > 0) out.push(forbidden(reviews, detail))
    return
  }
  const before: Json = old?.webhook
  const bundle: Json = before?.clientConfig?.caBundle
  clientConfig(webhook?.clientConfig, config, anyBundle || (bundle && !isBundle(bundle)), out)
  if (versionList.length === 0) {
    out.push(required(reviews))
    return
  }
  versionList.forEach((version, i) => {
    if (versionList.indexOf(version) < i) out.push(invalid(index(reviews, i), version, 'duplicate version'))
    else each(isDns1035Label(version), index(reviews, i), version, out)
  })
  const known = (version: string): boolean => REVIEW_VERSIONS.includes(version)
  const stored: readonly string[] = listOf(before?.conversionReviewVersions)
  if (!versionList.some(known) && (stored.length === 0 || stored.some(known))) {
    out.push(invalid(reviews, versionList, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`))
  }
}

function clientConfig(config: Json, path: string, anyBundle: boolean, out: Errors): void {
  if (!isSet(config)) {
    out.push(required(path, 'required when strategy is set to Webhook'))
    return
  }
  const { url, service, caBundle } = config
  if (isSet(url) === isSet(service)) out.push(required(path, 'exactly one of url or service is required'))
  else if (isSet(url)) webhookUrl(url, child(path, 'url'), out)
  else {
    const at = child(path, 'service')
    // Upstream mixes them up.
    if (!service.namespace) out.push(required(child(at, 'name')))
    if (!service.name) out.push(required(child(at, 'namespace')))
    if ((service.port ?? 443) < 1 || (service.port ?? 443) > 65535) {
      const detail = 'port is not valid: must be between 1 and 65535, inclusive'
      out.push(invalid(child(at, 'port'), service.port, detail))
    }
    if (isSet(service.path)) servicePath(service.path, child(at, 'path'), out)
  }
  if (!caBundle || anyBundle) return
  if (!isBundle(caBundle)) {
    const detail = 'unable to load root certificates: unable to parse bytes as PEM block'
    out.push(invalid(child(path, 'caBundle'), caBundle, detail))
  }
}

/** Whether base64 holds certificates in PEM. */
export function isBundle(text: string): boolean {
  return Buffer.from(text, 'base64').toString('latin1').includes('-----BEGIN CERTIFICATE-----')
}

function webhookUrl(text: string, path: string, out: Errors): void {
  const form = '; desired format: https://host[/path]'
  if (!URL.canParse(text)) {
    out.push(required(path, `url must be a valid URL: parse ${JSON.stringify(text)}: invalid URI${form}`))
    return
  }
  const url = new URL(text)
  if (url.protocol !== 'https:') {
    out.push(invalid(path, url.protocol.slice(0, -1), `'https' is the only allowed URL scheme${form}`))
  }
  if (url.host === '') out.push(invalid(path, url.host, `host must be specified${form}`))
  if (url.username !== '' || url.password !== '') {
    const user = url.password === '' ? url.username : `${url.username}:${url.password}`
    out.push(invalid(path, user, 'user information is not permitted in the URL'))
  }
  if (url.hash !== '') out.push(invalid(path, url.hash.slice(1), 'fragments are not permitted in the URL'))
  if (url.search !== '') {
    out.push(invalid(path, url.search.slice(1), 'query parameters are not permitted in the URL'))
  }
}
