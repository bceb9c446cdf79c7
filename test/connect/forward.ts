/** Connections that a `kubectl port-forward` carries, to a server of this machine that says what it hears. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { dirname } from 'node:path'
import { eventually } from '../support/eventually.ts'
import type { Kubectl } from '../support/kubectl.ts'
import { findKubectl } from '../support/kubernetes.ts'

/** Three at a time. `words`: all but the ports. */
export async function carries(
  kubectl: Kubectl,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket))
  await once(echo.listen(0, '127.0.0.1'), 'listening')
  const { port } = echo.address() as { port: number }
  const child = spawn(findKubectl()!, ['--kubeconfig', kubectl.kubeconfig, ...words, `:${port}`], {
    env: { PATH: process.env['PATH'], HOME: dirname(kubectl.kubeconfig), ...env },
  })
  let output = ''
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString()))
  child.stderr.on('data', (piece: Buffer) => (output += piece.toString()))
  try {
    await eventually('forwarding', () => /Forwarding from 127\.0\.0\.1:/.test(output))
    const local = Number(/127\.0\.0\.1:(\d+)/.exec(output)![1])
    const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(300_000))
    const heard = await Promise.all(texts.map((text) => echoed(local, text)))
    assert.ok(
      heard.every((text, i) => text === texts[i]),
      output,
    )
  } finally {
    child.kill('SIGKILL')
    echo.close()
  }
}

async function echoed(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.end(text)
  let out = ''
  for await (const piece of socket) out += String(piece)
  return out
}
