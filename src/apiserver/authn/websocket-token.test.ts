import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offeredProtocols, webSocketToken } from './websocket-token.ts'

const encoded = (token: string | Buffer): string =>
  `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`
const headers = (protocols: string, upgrade = 'websocket') => ({ upgrade, 'sec-websocket-protocol': protocols })

test('the token of a WebSocket stands among its subprotocols', () => {
  const cases: readonly (readonly [string, ReturnType<typeof webSocketToken>])[] = [
    ['', undefined],
    ['v5.channel.k8s.io', undefined],
    [`${encoded('abc')}, v5.channel.k8s.io`, { token: 'abc' }],
    [`v5.channel.k8s.io,${encoded('é')}`, { token: 'é' }],
    [encoded('abc'), 'wrong'],
    [`${encoded('abc')}, ${encoded('abc')}, v5.channel.k8s.io`, 'wrong'],
    [`${encoded(Buffer.from([0xff]))}, v5.channel.k8s.io`, 'wrong'],
    [`base64url.bearer.authorization.k8s.io.a+b=, v5.channel.k8s.io`, 'wrong'],
    [`base64url.bearer.authorization.k8s.io., v5.channel.k8s.io`, undefined],
  ]
  for (const [protocols, token] of cases) assert.deepEqual(webSocketToken(headers(protocols)), token, protocols)
  assert.equal(webSocketToken(headers(`${encoded('abc')}, v5.channel.k8s.io`, 'SPDY/3.1')), undefined)
})

test('nobody else sees it', () => {
  assert.deepEqual(offeredProtocols(headers(`${encoded('abc')}, a,b `)), ['a', 'b'])
  assert.deepEqual(offeredProtocols({}), [])
})
