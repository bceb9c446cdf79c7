/** kubeconfig files: reading a context, and adding one to the user's file. */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CORE_SCHEMA, dump, loadAll } from 'js-yaml'
import type { Connection } from './connection.ts'
import { KubeconfigError } from './kubeconfig-error.ts'
import { commandIn, execOf } from './kubeconfig-exec.ts'

export { KubeconfigError } from './kubeconfig-error.ts'

interface Named {
  name: string
  [field: string]: unknown
}

/** The file as it is; what we do not know survives. */
interface Config {
  apiVersion?: string
  kind?: string
  clusters?: Named[] | null
  users?: Named[] | null
  contexts?: Named[] | null
  'current-context'?: string
  [field: string]: unknown
}

function read(text: string, source: string): Config {
  let value: unknown
  try {
    value = loadAll(text, { schema: CORE_SCHEMA })[0]
  } catch (error) {
    throw new KubeconfigError(`${source} is no YAML: ${(error as Error).message}`, error)
  }
  if (value === null || value === undefined) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw new KubeconfigError(`${source} is no kubeconfig`)
  const config = value as Config
  for (const list of [config.clusters, config.users, config.contexts]) {
    if (list !== undefined && list !== null && !Array.isArray(list)) {
      throw new KubeconfigError(`${source} is no kubeconfig: clusters, users and contexts must be lists`)
    }
  }
  return config
}

function entry(list: Named[] | null | undefined, name: string, part: string, what: string): Record<string, unknown> {
  const found = list?.find((one) => one?.name === name)
  if (found === undefined) throw new KubeconfigError(`${what} ${JSON.stringify(name)} does not exist`)
  return (found[part] ?? {}) as Record<string, unknown>
}

function stringOf(fields: Record<string, unknown>, name: string): string | undefined {
  const value = fields[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Inline base64 data, or the content of a file. */
function dataOf(fields: Record<string, unknown>, name: string, directory: string): string | undefined {
  const inline = stringOf(fields, `${name}-data`)
  if (inline !== undefined) return Buffer.from(inline, 'base64').toString('utf8')
  const file = stringOf(fields, name)
  if (file === undefined) return undefined
  const path = isAbsolute(file) ? file : join(directory, file)
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new KubeconfigError(`cannot read ${name} ${path}: ${(error as Error).message}`, error)
  }
}

export interface ParseOptions {
  /** @default the current context */
  readonly context?: string
  /** Where relative paths start. @default '.' */
  readonly directory?: string
}

function connectionOf(config: Config, { context, directory = '.' }: ParseOptions): Connection {
  const chosen = context ?? config['current-context']
  if (chosen === undefined || chosen === '') throw new KubeconfigError('no current context is set')
  const fields = entry(config.contexts, chosen, 'context', 'context')
  const cluster = entry(config.clusters, stringOf(fields, 'cluster') ?? '', 'cluster', 'cluster')
  const userName = stringOf(fields, 'user')
  const user = userName === undefined ? {} : entry(config.users, userName, 'user', 'user')
  refuseUnsupported(user, cluster, `user ${JSON.stringify(userName)}`)
  const server = stringOf(cluster, 'server')
  if (server === undefined || !URL.canParse(server)) {
    throw new KubeconfigError(`the cluster of context ${JSON.stringify(chosen)} has no server address`)
  }
  const tokenFile = stringOf(user, 'tokenFile')
  const fieldsOf = {
    ca: dataOf(cluster, 'certificate-authority', directory),
    tlsServerName: stringOf(cluster, 'tls-server-name'),
    clientCertificate: dataOf(user, 'client-certificate', directory),
    clientKey: dataOf(user, 'client-key', directory),
    token: stringOf(user, 'token'),
    tokenFile: tokenFile === undefined || isAbsolute(tokenFile) ? tokenFile : join(directory, tokenFile),
    username: stringOf(user, 'username'),
    password: stringOf(user, 'password'),
    namespace: stringOf(fields, 'namespace'),
  }
  const exec = execOf(user['exec'], `user ${JSON.stringify(userName)}`, cluster, fieldsOf.ca, directory)
  const known = Object.fromEntries(Object.entries(fieldsOf).filter(([, value]) => value !== undefined))
  return {
    server,
    ...(known as Partial<Record<keyof typeof fieldsOf, string>>),
    ...(exec === undefined ? {} : { exec }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { insecureSkipTlsVerify: true } : {}),
  }
}

/** What a silent omission would make somebody else of, or send elsewhere. */
function refuseUnsupported(user: Record<string, unknown>, cluster: Record<string, unknown>, who: string): void {
  const of = (what: string) => new KubeconfigError(`${who} ${what}, which is not supported`)
  if ((user['auth-provider'] ?? null) !== null) throw of('uses an auth-provider')
  if (['as', 'as-uid', 'as-groups', 'as-user-extra'].some((field) => (user[field] ?? null) !== null))
    throw of('acts as another user (as)')
  if (stringOf(cluster, 'proxy-url') !== undefined) throw of('reaches its cluster by a proxy (proxy-url)')
}

/** The connection of a context in a kubeconfig text. @throws KubeconfigError */
export function parseKubeconfig(text: string, options: ParseOptions = {}): Connection {
  return connectionOf(read(text, 'the kubeconfig'), options)
}

export interface LoadOptions {
  /** One file. @default those of KUBECONFIG, else ~/.kube/config, else the service account of the pod we run in */
  readonly path?: string
  /** @default the current context */
  readonly context?: string
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The connection that a pod's service account has, or `undefined` outside of pods. */
function inCluster(env: Readonly<Record<string, string | undefined>>): Connection | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env
  const tokenFile = join(SERVICE_ACCOUNT, 'token')
  if (host === undefined || host === '' || !existsSync(tokenFile)) return undefined
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: readFileSync(join(SERVICE_ACCOUNT, 'ca.crt'), 'utf8'),
    tokenFile,
    namespace: readFileSync(join(SERVICE_ACCOUNT, 'namespace'), 'utf8').trim(),
  }
}

/** The user's kubeconfig files, in the order in which they count. */
function defaultPaths(env: Readonly<Record<string, string | undefined>>): string[] {
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '')
  return listed.length > 0 ? listed : [join(env['HOME'] ?? homedir(), '.kube', 'config')]
}

/** Relative paths inside a file start at its directory; after merging files only absolute ones are safe. */
function absolute(config: Config, directory: string): Config {
  const fix = (list: Named[] | null | undefined, part: string, names: readonly string[]): Named[] =>
    (list ?? []).map((one) => {
      const fields = { ...(one[part] as Record<string, unknown>) }
      for (const name of names) {
        const value = stringOf(fields, name)
        if (value !== undefined && !isAbsolute(value)) fields[name] = join(directory, value)
      }
      return { ...one, [part]: fields }
    })
  const users = fix(config.users, 'user', ['client-certificate', 'client-key', 'tokenFile'])
  for (const { user } of users as unknown as { user: Record<string, unknown> }[]) {
    const exec = user['exec'] as Record<string, unknown> | null | undefined
    const command = stringOf(exec ?? {}, 'command')
    if (command !== undefined) user['exec'] = { ...exec, command: commandIn(command, directory) }
  }
  return { ...config, clusters: fix(config.clusters, 'cluster', ['certificate-authority']), users }
}

/** Of entries with one name the first counts, and so does the first current context. */
function merged(configs: readonly Config[]): Config {
  const current = configs.map((config) => config['current-context']).find((name) => name !== undefined && name !== '')
  return {
    clusters: configs.flatMap((config) => config.clusters ?? []),
    users: configs.flatMap((config) => config.users ?? []),
    contexts: configs.flatMap((config) => config.contexts ?? []),
    ...(current === undefined ? {} : { 'current-context': current }),
  }
}

/**
 * The connection of a context as kubectl finds it.
 *
 * @throws KubeconfigError when there is none, or it cannot be used
 */
export async function loadKubeconfig({ path, context, env = process.env }: LoadOptions = {}): Promise<Connection> {
  const paths = path === undefined ? defaultPaths(env) : [path]
  const configs: Config[] = []
  for (const file of paths) {
    let text
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      if (path === undefined && (error as { code?: string }).code === 'ENOENT') continue
      throw new KubeconfigError(`cannot read ${file}: ${(error as Error).message}`, error)
    }
    configs.push(absolute(read(text, file), dirname(file)))
  }
  if (configs.length === 0) {
    const own = inCluster(env)
    if (own !== undefined) return own
    throw new KubeconfigError(`there is no kubeconfig (looked for ${paths.join(', ')})`)
  }
  return connectionOf(merged(configs), context === undefined ? {} : { context })
}

/** A kubeconfig with one context of this name. */
export function formatKubeconfig(name: string, connection: Connection): string {
  const base64 = (text: string | undefined) => (text === undefined ? undefined : Buffer.from(text).toString('base64'))
  const { server, ca, insecureSkipTlsVerify, tlsServerName, namespace } = connection
  const { clientCertificate, clientKey, token, tokenFile, username, password } = connection
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          server,
          'certificate-authority-data': base64(ca),
          'insecure-skip-tls-verify': insecureSkipTlsVerify === true ? true : undefined,
          'tls-server-name': tlsServerName,
        },
      },
    ],
    users: [
      {
        name,
        user: {
          'client-certificate-data': base64(clientCertificate),
          'client-key-data': base64(clientKey),
          token,
          tokenFile,
          username,
          password,
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    'current-context': name,
  }
  // Through JSON: what is not defined is left out.
  return dump(JSON.parse(JSON.stringify(config)), { lineWidth: -1 })
}

function withEntry(list: Named[] | null | undefined, one: Named): Named[] {
  const rest = (list ?? []).filter((other) => other?.name !== one.name)
  return [...rest, one]
}

/**
 * Adds the current context of a kubeconfig text to the user's file, under a name, and makes it the current one. Its
 * cluster and user get the same name; others stay. The file is replaced at once, with mode 0600, under kubectl's lock.
 *
 * @throws KubeconfigError when either cannot be read, or another program holds the lock
 */
export async function mergeContext(file: string, name: string, kubeconfig: string): Promise<void> {
  const added = parseKubeconfig(kubeconfig)
  if (added.exec !== undefined) throw new KubeconfigError(`${added.exec.label} cannot be merged into another file`)
  const fresh = read(formatKubeconfig(name, added), 'the kubeconfig')
  await change(file, (config) => ({
    ...config,
    apiVersion: 'v1',
    kind: 'Config',
    clusters: withEntry(config.clusters, fresh.clusters![0]!),
    users: withEntry(config.users, fresh.users![0]!),
    contexts: withEntry(config.contexts, fresh.contexts![0]!),
    'current-context': name,
  }))
}

/** Takes a context that {@link mergeContext} added out of a file, with its cluster and user. */
export async function removeContext(file: string, name: string): Promise<void> {
  if (!existsSync(file)) return
  await change(file, (config) => {
    const without = (list: Named[] | null | undefined) => (list ?? []).filter((one) => one?.name !== name)
    const out: Config = {
      ...config,
      clusters: without(config.clusters),
      users: without(config.users),
      contexts: without(config.contexts),
    }
    if (out['current-context'] === name) out['current-context'] = ''
    return out
  })
}

async function change(file: string, edit: (config: Config) => Config): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const target = existsSync(file) ? await realpath(file) : file
  await locked(`${target}.lock`, async () => {
    const before = existsSync(target) ? read(await readFile(target, 'utf8'), target) : {}
    const temporary = `${target}.${randomBytes(6).toString('hex')}`
    try {
      await writeFile(temporary, dump(edit(before), { lineWidth: -1 }), { mode: 0o600, flag: 'wx' })
      await chmod(temporary, 0o600)
      await rename(temporary, target)
    } finally {
      await rm(temporary, { force: true })
    }
  })
}

/** Runs while holding a lock file, which kubectl makes as well. */
async function locked(lock: string, run: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      const handle = await open(lock, 'wx', 0o600)
      await handle.close()
      break
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error
      if (attempt >= 250) throw new KubeconfigError(`another program holds ${lock}; remove it if there is none`, error)
      await delay(20)
    }
  }
  try {
    await run()
  } finally {
    await rm(lock, { force: true })
  }
}
