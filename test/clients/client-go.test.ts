/**
 * Everything that controllers use of client-go, against the embedded server: test/clients/client-go says what. The real
 * kube-apiserver is the control: what it does not pass is not Kubernetes.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { findControlPlane, skipWithout } from '../support/kubernetes.ts'
import { goProgram } from '../support/programs.ts'
import { embeddedServer, realServer, type Server } from './servers.ts'

const program = goProgram('client-go')
const WANTED = process.env['TENANTRY_CHECKS'] ?? '.'

const skip = skipWithout(program, 'test/clients/client-go')

test('client-go on the embedded server', { skip }, async () => {
  await using server = await embeddedServer('--nodes 0')
  await checks(server)
})

test('client-go on kube-apiserver', { skip: skip || skipWithout(findControlPlane(), 'kube-apiserver') }, async () => {
  await using server = await realServer()
  await checks(server)
})

/** Runs all checks; kills the server and starts it again when one asks for it. */
async function checks(server: Server): Promise<void> {
  const child = spawn(program!, ['-kubeconfig', server.kubeconfig, '-run', WANTED], { stdio: ['pipe', 'pipe', 'pipe'] })
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
  if (process.env['TENANTRY_CHECKS'] !== undefined) process.stderr.write(`${lines.join('\n')}\n`)
  assert.equal(code, 0, `${failed.join('\n') || lines.join('\n')}\n${failed.length === 0 ? errors.slice(-3000) : ''}`)
}
