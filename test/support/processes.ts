/** Child processes of a test: started, waited for, ended together. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { openSync, readFileSync } from 'node:fs'

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

/** Children that end when the owner is disposed, in reverse order of their start. */
export class Processes implements AsyncDisposable {
  readonly #children: { readonly name: string; readonly child: ChildProcess; readonly log: string }[] = []

  start(name: string, program: string, args: readonly string[], log: string): ChildProcess {
    const out = openSync(log, 'a')
    const child = spawn(program, args, { stdio: ['ignore', out, out] })
    this.#children.push({ name, child, log })
    return child
  }

  /** Kills a child at once; it is not missed afterwards. */
  async kill(child: ChildProcess): Promise<void> {
    this.#children.splice(
      this.#children.findIndex((one) => one.child === child),
      1,
    )
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  /** Throws with the end of the log when a child has ended. */
  check(): void {
    for (const { name, child, log } of this.#children) {
      if (child.exitCode === null && child.signalCode === null) continue
      throw new Error(
        `${name} ended with ${child.exitCode ?? child.signalCode}:\n${readFileSync(log, 'utf8').slice(-3000)}`,
      )
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 3000)
      await ended
      clearTimeout(timer)
    }
  }
}
