/** Paths and URLs as Go's `net/url` and `path` have them, for what is passed on. Pure. */
import { posix } from 'node:path'

/** Go's `path.Clean` of a joined path; '' stays ''. A slash at the end of the last part stays. */
export function joinPath(...parts: readonly string[]): string {
  const given = parts.filter((part) => part !== '')
  if (given.length === 0) return ''
  const joined = posix.join(...given)
  const bare = joined.length > 1 && joined.endsWith('/') ? joined.slice(0, -1) : joined
  return given.at(-1)!.endsWith('/') && !bare.endsWith('/') ? `${bare}/` : bare
}

const LITERAL = /[A-Za-z0-9\-_.~$&+,/:;=@]/

/** A decoded path for a request line. */
export function escapePath(path: string): string {
  let out = ''
  for (const byte of Buffer.from(path, 'utf8')) {
    const char = String.fromCharCode(byte)
    out += LITERAL.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}

/** Where a page that came through a proxy was asked for, and where it came from. */
export interface Mount {
  /** What stands before the other server's own paths. */
  readonly prefix: string
  /** Host and port that were dialled. */
  readonly source: string
  /** Host that the client asked for. */
  readonly asked: string | undefined
}

const URL_PARTS = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/s

/** A reference in an answer, so that it leads through the proxy again; other hosts and relative paths are left alone. */
export function throughProxy(reference: string, { prefix, source, asked }: Mount): string {
  const [, scheme, host = '', path = '', rest = ''] = URL_PARTS.exec(reference) ?? []
  const elsewhere = host !== '' && host !== source && host !== asked
  if (elsewhere || !path.startsWith('/')) return reference
  const start = host !== '' && host === asked ? `${scheme === undefined ? '' : `${scheme}:`}//${host}` : ''
  return `${start}${path.startsWith(prefix) ? path : joinPath(prefix, path)}${rest}`
}
