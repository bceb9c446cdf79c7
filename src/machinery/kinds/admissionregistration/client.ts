/** Where a webhook is called: a URL or a Service, as upstream checks them. */
import { child, invalid, required } from '../../field.ts'
import type { Errors } from '../checks.ts'
import { isSet } from '../json.ts'
import type { Json } from '../json.ts'
import { servicePath } from '../service-path.ts'

const FORM = '; desired format: https://host[/path]'

export function defaultClient(config: Json): void {
  const service: Json = config?.service
  if (isSet(service) && !isSet(service.port)) service.port = 443
}

/** A WebhookClientConfig. Its CA bundle is read when the webhook is called. */
export function clientConfig(config: Json, path: string, out: Errors): void {
  const { url, service } = (config ?? {}) as { url?: string; service?: Json }
  if (isSet(url) === isSet(service)) out.push(required(path, 'exactly one of url or service is required'))
  else if (isSet(url)) webhookUrl(url!, child(path, 'url'), out)
  else serviceReference(service, child(path, 'service'), out)
}

function serviceReference({ name, namespace, port = 443, path: text }: Json, path: string, out: Errors): void {
  // Upstream takes the one for the other.
  if (!namespace) out.push(required(child(path, 'name')))
  if (!name) out.push(required(child(path, 'namespace')))
  if (port < 1 || port > 65535) {
    out.push(invalid(child(path, 'port'), port, 'port is not valid: must be between 1 and 65535, inclusive'))
  }
  if (typeof text === 'string') servicePath(text, child(path, 'path'), out)
}

interface GoUrl {
  readonly scheme: string
  readonly user: string | undefined
  readonly host: string
  readonly query: string
  readonly fragment: string
}

function webhookUrl(text: string, path: string, out: Errors): void {
  const url = parse(text)
  if (typeof url === 'string') {
    out.push(required(path, `url must be a valid URL: parse ${JSON.stringify(text)}: ${url}${FORM}`))
    return
  }
  const { scheme, user, host, query, fragment } = url
  if (scheme !== 'https') out.push(invalid(path, scheme, `'https' is the only allowed URL scheme${FORM}`))
  if (host === '') out.push(invalid(path, host, `host must be specified${FORM}`))
  if (user !== undefined) out.push(invalid(path, user, 'user information is not permitted in the URL'))
  if (fragment !== '') out.push(invalid(path, fragment, 'fragments are not permitted in the URL'))
  if (query !== '') out.push(invalid(path, query, 'query parameters are not permitted in the URL'))
}

/** The parts as Go's net/url finds them, or what it says is wrong. */
function parse(text: string): GoUrl | string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'net/url: invalid control character in URL'
  const hash = text.indexOf('#')
  const fragment = hash < 0 ? '' : text.slice(hash + 1)
  const rest = hash < 0 ? text : text.slice(0, hash)
  const colon = rest.indexOf(':')
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(rest) ? rest.slice(0, colon).toLowerCase() : ''
  if (colon === 0) return 'missing protocol scheme'
  const after = scheme === '' ? rest : rest.slice(colon + 1)
  const mark = after.indexOf('?')
  const query = mark < 0 ? '' : after.slice(mark + 1)
  const place = mark < 0 ? after : after.slice(0, mark)
  if (scheme === '' && /^[^/]*:/.test(place)) return 'first path segment in URL cannot contain colon'
  const none = { scheme, user: undefined, host: '', query, fragment }
  const bad = badEscape(place)
  if (!place.startsWith('//')) return bad ?? none
  const slash = place.indexOf('/', 2)
  const authority = slash < 0 ? place.slice(2) : place.slice(2, slash)
  const at = authority.lastIndexOf('@')
  const host = authority.slice(at + 1)
  const character = /[ "<>^`{|}\\]/.exec(host)?.[0]
  if (character !== undefined) return `invalid character ${JSON.stringify(character)} in host name`
  const port = /:[^:\]]*$/.exec(host)?.[0] ?? ':'
  if (!/^:[0-9]*$/.test(port)) return `invalid port ${JSON.stringify(port)} after host`
  if (bad !== undefined) return bad
  return { ...none, host, user: at < 0 ? undefined : authority.slice(0, at) }
}

function badEscape(text: string): string | undefined {
  const wrong = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text)?.[0]
  return wrong === undefined ? undefined : `invalid URL escape ${JSON.stringify(wrong)}`
}
