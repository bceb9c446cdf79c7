/** Runs the Go programs of these folders: one line for each check, and a word to have the server restarted. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Server } from './servers.ts'

/**
 * Runs all checks of a program against a server, which is killed and started again when one asks for it.
 * @throws AssertionError with the lines of those that failed
 */
export async function checks(server: Server, program: string, words: readonly string[] = []): Promise<void> {
  const child = spawn(program, ['-kubeconfig', server.kubeconfig, ...words], { stdio: ['pipe', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
  const lines: string[] = []
  let restarts = Promise.resolve()
  createInterface(child.stdout).on('line', (line) => {
    if (line !== 'restart') {
      lines.push(line)
      return
    }
    restarts = restarts
      .then(() => server.restart())
      .then(() => void child.stdin.write('restarted\n'))
      .catch((error: unknown) => {
        errors += String(error)
        child.stdin.end()
      })
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  await restarts
  const failed = lines.filter((line) => line.startsWith('FAIL'))
  if (process.env['TENANTRY_VERBOSE'] !== undefined) process.stderr.write(`${lines.join('\n')}\n`)
  assert.equal(code, 0, `${failed.join('\n') || lines.join('\n')}\n${failed.length === 0 ? errors.slice(-3000) : ''}`)
}
