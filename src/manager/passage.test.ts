import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import type { IncomingMessage } from 'node:http'
import type { Reply } from '../apiserver/http/reply.ts'
import { StatusError } from '../machinery/status.ts'
import { passStream } from './passage.ts'

/** What a client is told of a host that answers so, without an upgrade. */
async function told(statusCode: number, text: string): Promise<readonly [number, string]> {
  const response = Object.assign(Readable.from([text]), { statusCode, headers: {}, headersDistinct: {} })
  const streams = { open: async () => ({ response: response as unknown as IncomingMessage, head: Buffer.alloc(0) }) }
  let out: readonly [number, string] | undefined
  const reply = {
    exchange: { method: 'GET', headers: { upgrade: 'SPDY/3.1' }, signal: new AbortController().signal },
    raw: (code: number, _type: string, body: string) => void (out = [code, body]),
  } as unknown as Reply
  try {
    await passStream({ streams: streams as never, path: '/', told: async () => `told: ${text}` }, reply)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return [error.status.code, error.status.message ?? '']
  }
  return out!
}

test('a refusal of the host is the tenant’s, unless it is this process that is refused', async () => {
  assert.deepEqual(await told(400, 'container x is not valid'), [400, 'told: container x is not valid'])
  for (const code of [401, 403]) {
    const text = `Internal error occurred: the host answers with ${code} when it is asked for the connection`
    assert.deepEqual(await told(code, 'User "manager" cannot create resource "pods/exec"'), [500, text])
  }
  assert.deepEqual(await told(200, ''), [500, 'invalid upgrade response: status code 200'])
})
