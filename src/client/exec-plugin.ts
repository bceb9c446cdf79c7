/** Programs that give credentials: client.authentication.k8s.io. */
import { spawn } from 'node:child_process'

export interface ExecPlugin {
  /** For errors: `exec plugin of user "x" of FILE`. */
  readonly label: string
  readonly apiVersion: string
  /** A path, or a name on PATH. */
  readonly command: string
  readonly args: readonly string[]
  /** Added to the process's environment. */
  readonly env: Readonly<Record<string, string>>
  readonly interactiveMode: 'Never' | 'IfAvailable' | 'Always'
  /** Shown when the command is not there. */
  readonly installHint?: string
  /** Told to the plugin as `spec.cluster`. */
  readonly cluster?: Readonly<Record<string, unknown>>
}

export interface ExecCredential {
  readonly token?: string
  /** PEM texts. */
  readonly certificate?: string
  readonly key?: string
  /** Milliseconds since 1970; absent: good until the server refuses it. */
  readonly expires?: number
}

/** Of what a plugin may print. */
const MAX_OUTPUT = 1024 * 1024

/** Runs the plugin once. Its stderr is the user's. @throws Error that names the user's entry */
export async function runExecPlugin(plugin: ExecPlugin, signal?: AbortSignal): Promise<ExecCredential> {
  const terminal = process.stdin.isTTY
  if (plugin.interactiveMode === 'Always' && !terminal)
    throw new Error(`${plugin.label} must be interactive, but standard input is not a terminal`)
  const interactive = plugin.interactiveMode !== 'Never' && terminal
  const spec = { ...(plugin.cluster === undefined ? {} : { cluster: plugin.cluster }), interactive }
  const info = JSON.stringify({ kind: 'ExecCredential', apiVersion: plugin.apiVersion, spec })
  const output = await outputOf(plugin, info, interactive, signal)
  let value: unknown
  try {
    value = JSON.parse(output)
  } catch (error) {
    throw new Error(`${plugin.label}: what it printed is no JSON`, { cause: error })
  }
  return credentialIn(plugin, value)
}

function outputOf(plugin: ExecPlugin, info: string, interactive: boolean, signal?: AbortSignal): Promise<string> {
  const { label, command, args, env, installHint } = plugin
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...env, KUBERNETES_EXEC_INFO: info },
      stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'],
      ...(signal === undefined ? {} : { signal }),
    })
    let output = ''
    child.stdout!.setEncoding('utf8').on('data', (piece: string) => {
      output += piece
      if (output.length > MAX_OUTPUT) child.kill()
    })
    child.on('error', (error: NodeJS.ErrnoException) => {
      const hint = error.code === 'ENOENT' && installHint !== undefined ? `\n${installHint}` : ''
      reject(new Error(`${label}: ${error.message}${hint}`, { cause: error }))
    })
    child.on('close', (code, killed) => {
      if (output.length > MAX_OUTPUT) reject(new Error(`${label}: it printed more than ${MAX_OUTPUT} characters`))
      else if (code === 0) resolve(output)
      else reject(new Error(`${label}: ${command} ended with ${killed ?? code}`))
    })
  })
}

function credentialIn({ label, apiVersion }: ExecPlugin, value: unknown): ExecCredential {
  if (!isObject(value) || value['kind'] !== 'ExecCredential' || value['apiVersion'] !== apiVersion)
    throw new Error(`${label}: what it printed is no ExecCredential of ${apiVersion}`)
  const { status } = value
  if (!isObject(status)) throw new Error(`${label}: what it printed has no status`)
  const text = (field: string): string | undefined => {
    const found = status[field]
    return typeof found === 'string' && found !== '' ? found : undefined
  }
  const [token, certificate, key] = [text('token'), text('clientCertificateData'), text('clientKeyData')]
  if (token === undefined && certificate === undefined && key === undefined)
    throw new Error(`${label}: it gave neither a token nor a certificate with a key`)
  if ((certificate === undefined) !== (key === undefined))
    throw new Error(`${label}: it gave only one of certificate and key`)
  const until = text('expirationTimestamp')
  const expires = until === undefined ? undefined : Date.parse(until)
  if (Number.isNaN(expires)) throw new Error(`${label}: expirationTimestamp ${JSON.stringify(until)} is no time`)
  return {
    ...(token === undefined ? {} : { token }),
    ...(certificate === undefined || key === undefined ? {} : { certificate, key }),
    ...(expires === undefined ? {} : { expires }),
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
