/** kubectl as a tenant's user would run it: its own HOME, its own caches, one kubeconfig. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

export interface RunOptions {
  readonly stdin?: string
  readonly env?: Record<string, string>
  /** Milliseconds. @default 90000 */
  readonly timeout?: number
}

export class Kubectl implements Disposable {
  readonly #program: string
  readonly kubeconfig: string
  readonly #home = mkdtempSync(join(tmpdir(), 'tenantry-kubectl-'))
  /** Number of commands run. */
  ran = 0

  constructor(program: string, kubeconfig: string) {
    this.#program = program
    this.kubeconfig = join(this.#home, 'kubeconfig')
    writeFileSync(this.kubeconfig, kubeconfig, { mode: 0o600 })
  }

  /** Runs a command line (split at blanks) or a list of words, whatever the exit code. */
  async try(words: string | readonly string[], options: RunOptions = {}): Promise<Ran> {
    this.ran++
    const args = typeof words === 'string' ? words.split(' ') : words
    const child = spawn(this.#program, ['--kubeconfig', this.kubeconfig, ...args], {
      cwd: this.#home,
      env: { PATH: process.env['PATH'], HOME: this.#home, ...options.env },
      timeout: options.timeout ?? 90_000,
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (piece: Buffer) => (stdout += piece.toString()))
    child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()))
    child.stdin.on('error', () => {})
    child.stdin.end(options.stdin ?? '')
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (status) => resolve(status ?? -1))
    })
    return { stdout, stderr, code }
  }

  /** The same; anything but exit code 0 is an error that shows what kubectl said. */
  async run(words: string | readonly string[], options: RunOptions = {}): Promise<string> {
    const ran = await this.try(words, options)
    if (ran.code !== 0)
      throw new Error(
        `kubectl ${typeof words === 'string' ? words : words.join(' ')}: exit ${ran.code}\n${ran.stdout}${ran.stderr}`,
      )
    return ran.stdout
  }

  /** Starts a command that does not end by itself; `until` sees its output so far. Ends it then. */
  async watch(
    words: string,
    until: (output: string) => boolean,
    act: () => Promise<unknown>,
    milliseconds = 30_000,
  ): Promise<string> {
    this.ran++
    const child = spawn(this.#program, ['--kubeconfig', this.kubeconfig, ...words.split(' ')], {
      cwd: this.#home,
      env: { PATH: process.env['PATH'], HOME: this.#home },
    })
    let output = ''
    try {
      return await new Promise<string>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`kubectl ${words} has not shown it after ${milliseconds} ms:\n${output}`)),
          milliseconds,
        )
        let acted = false
        const look = (piece: Buffer) => {
          output += piece.toString()
          if (!acted) {
            acted = true
            act().catch(reject)
          }
          if (until(output)) {
            clearTimeout(timer)
            resolve(output)
          }
        }
        child.stdout.on('data', look)
        child.stderr.on('data', look)
        child.on('error', reject)
      })
    } finally {
      child.kill('SIGKILL')
    }
  }

  /** Writes a file into the working directory and gives its path. */
  file(name: string, text: string): string {
    const path = join(this.#home, name)
    writeFileSync(path, text)
    return path
  }

  [Symbol.dispose](): void {
    rmSync(this.#home, { recursive: true, force: true })
  }
}
