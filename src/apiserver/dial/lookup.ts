/**
 * Names to addresses without the thread pool, which files and databases of the process need: a name server that does
 * not answer must keep nobody else waiting. Knows the hosts file; no search domains, so names must be whole.
 */
import { Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'

/** Addresses of a name, best first. @throws Error with Go's words: `lookup x: no such host` */
export type Lookup = (name: string) => Promise<readonly string[]>

export interface LookupOptions {
  /** @default '/etc/hosts' */
  readonly hosts?: string
  /** Monotonic milliseconds. @default performance.now */
  readonly clock?: () => number
}

/** Milliseconds that an answer is used again. */
const FRESH = 10_000
/** Names remembered. */
const MAX = 1024

interface Known {
  readonly until: number
  readonly addresses: Promise<readonly string[]>
}

/** One for all clusters of a process. */
export function createLookup(options: LookupOptions = {}): Lookup {
  const { hosts: file = '/etc/hosts', clock = () => performance.now() } = options
  const resolver = new Resolver({ timeout: 2000, tries: 2 })
  const known = new Map<string, Known>()
  let hosts: { until: number; names: Promise<ReadonlyMap<string, readonly string[]>> } | undefined

  const find = async (name: string): Promise<readonly string[]> => {
    if (hosts === undefined || hosts.until <= clock()) hosts = { until: clock() + FRESH, names: readHosts(file) }
    const local = (await hosts.names).get(name)
    if (local !== undefined) return local
    if (name === 'localhost' || name.endsWith('.localhost')) return ['127.0.0.1', '::1']
    const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
    const addresses = found.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
    if (addresses.length > 0) return addresses
    const [failed] = found.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as { code?: string }] : [],
    )
    const none = failed?.code === 'ENOTFOUND' || failed?.code === 'ENODATA' || failed?.code === 'EBADNAME'
    throw new Error(`lookup ${name}: ${none ? 'no such host' : 'i/o timeout'}`)
  }
  return (asked) => {
    const name = asked.toLowerCase().replace(/\.$/, '')
    const now = clock()
    const old = known.get(name)
    if (old !== undefined && old.until > now) return old.addresses
    const addresses = find(name)
    known.delete(name)
    if (known.size >= MAX) known.delete(known.keys().next().value!)
    const entry = { until: now + FRESH, addresses }
    known.set(name, entry)
    addresses.catch(() => {
      if (known.get(name) === entry) known.delete(name)
    })
    return addresses
  }
}

async function readHosts(file: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const names = new Map<string, string[]>()
  const text = await readFile(file, 'utf8').catch(() => '')
  for (const line of text.split('\n')) {
    const [address, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/)
    for (const alias of aliases) {
      const name = alias.toLowerCase()
      const list = names.get(name)
      if (list === undefined) names.set(name, [address!])
      else list.push(address!)
    }
  }
  return names
}
