/** URLs. */
import type { Context } from '../context.ts'
import type { Implementation, Overload } from '../overload.ts'
import { overload } from '../overload.ts'
import { ArrayList, Failure, Opaque, ValueMap } from '../values.ts'
import type { GoUrl } from './go-url.ts'
import { UrlError, formatUrl, parseQuery, parseRequestUri, parseUrl, splitHostPort, textOf } from './go-url.ts'

export class UrlValue extends Opaque {
  readonly type = 'kubernetes.URL'
  readonly url: GoUrl
  constructor(url: GoUrl) {
    super()
    this.url = url
  }
  override equals(other: UrlValue): boolean {
    return formatUrl(this.url) === formatUrl(other.url)
  }
  override toString(): string {
    return formatUrl(this.url)
  }
}

function read(c: Context, text: string): unknown {
  c.labour(100 + text.length * 20)
  try {
    parseRequestUri(text)
    return new UrlValue(parseUrl(text))
  } catch (error) {
    if (!(error instanceof UrlError)) throw error
    return new Failure(`URL parse error during conversion from string: ${error.message}`)
  }
}

function isUrl(c: Context, text: string): unknown {
  c.labour(100 + text.length * 20)
  try {
    parseRequestUri(text)
    return true
  } catch (error) {
    if (!(error instanceof UrlError)) throw error
    return false
  }
}

function query(c: Context, { url }: UrlValue): unknown {
  c.labour(50 + url.query.length * 20)
  const map = new ValueMap()
  for (const [key, values] of parseQuery(url.query)) map.set(key, new ArrayList(values))
  return map
}

function part(run: (url: GoUrl) => string): Implementation {
  return (_, value: UrlValue) => textOf(run(value.url))
}

export const URLS: readonly Overload[] = [
  overload('url', 'string_to_url', '(string): kubernetes.URL', read),
  overload(
    'getScheme',
    'url_get_scheme',
    'kubernetes.URL.(): string',
    part((url) => url.scheme),
  ),
  overload(
    'getHost',
    'url_get_host',
    'kubernetes.URL.(): string',
    part((url) => url.host),
  ),
  overload(
    'getHostname',
    'url_get_hostname',
    'kubernetes.URL.(): string',
    part((url) => splitHostPort(url.host).host),
  ),
  overload(
    'getPort',
    'url_get_port',
    'kubernetes.URL.(): string',
    part((url) => splitHostPort(url.host).port),
  ),
  overload(
    'getEscapedPath',
    'url_get_escaped_path',
    'kubernetes.URL.(): string',
    part((url) => url.escapedPath),
  ),
  overload('getQuery', 'url_get_query', 'kubernetes.URL.(): map(string, list(string))', query),
  overload('isURL', 'is_url_string', '(string): bool', isUrl),
]
