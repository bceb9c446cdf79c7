/** The `tenantry` command as a user runs it: own HOME, own data. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ran } from './kubectl.ts'

const bin = join(import.meta.dirname, '../../bin/tenantry.js')

export class Tenantry implements Disposable {
  readonly home = mkdtempSync(join(tmpdir(), 'tenantry-cli-'))
  readonly env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    HOME: this.home,
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'tenantry-compile'),
  }

  /** Runs a command line to its end. */
  async run(words: string, env: Record<string, string> = {}): Promise<Ran> {
    const child = spawn(process.execPath, [bin, ...words.split(' ')], {
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (piece: Buffer) => (stdout += piece.toString()))
    child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()))
    const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? -1)))
    return { stdout, stderr, code }
  }

  /** Starts a command that stays; resolves with its first line on standard output. */
  async start(words: string): Promise<{ child: ChildProcess; line: string; milliseconds: number }> {
    const started = performance.now()
    const child = spawn(process.execPath, [bin, ...words.split(' ')], {
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let errors = ''
    child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout.on('data', (piece: Buffer) => {
        output += piece.toString()
        const end = output.indexOf('\n')
        if (end >= 0) resolve(output.slice(0, end))
      })
      child.on('exit', (code, signal) =>
        reject(new Error(`tenantry ${words} ended with ${signal ?? code}\n${output}${errors}`)),
      )
    })
    return { child, line, milliseconds: performance.now() - started }
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true, force: true })
  }
}

/** Ends a child with a signal and tells how it ended. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
  const ended = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('exit', (code, by) => resolve(by ?? code!)),
  )
  child.kill(signal)
  return ended
}
