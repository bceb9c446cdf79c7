import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../machinery/object.ts'
import { containerOf, isProxyable, kubeletOf, podPlace, speaksWebSocket, splitName } from './place.ts'

const object = (rest: object): KubeObject => ({ metadata: { name: 'x' }, ...rest }) as KubeObject

test('only global unicast addresses are proxied to', () => {
  for (const good of ['10.0.0.1', '192.168.1.1', '8.8.8.8', '240.0.0.1', 'fd00::1', '2001:db8::1', '::ffff:10.0.0.1'])
    assert.ok(isProxyable(good), good)
  for (const bad of [
    '',
    'name',
    '0.0.0.0',
    '127.0.0.1',
    '127.9.9.9',
    '169.254.169.254',
    '224.0.0.1',
    '239.1.1.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'febf::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:169.254.169.254',
  ])
    // prettier-ignore
    assert.ok(!isProxyable(bad), bad)
})

test('names of what is proxied to', () => {
  assert.deepEqual(splitName('a'), { scheme: '', name: 'a', port: '' })
  assert.deepEqual(splitName('a:1'), { scheme: '', name: 'a', port: '1' })
  assert.deepEqual(splitName('https:a:'), { scheme: 'https', name: 'a', port: '' })
  for (const wrong of ['', ':1', 'ftp:a:1', 'HTTP:a:1', 'a:b:c:d']) assert.equal(splitName(wrong), undefined, wrong)
})

test('a kubelet is at the preferred address, at its port or the usual one', () => {
  const addresses = [
    { type: 'Hostname', address: 'h' },
    { type: 'ExternalIP', address: '2.2.2.2' },
    { type: 'InternalIP', address: '1.1.1.1' },
  ]
  const at = (status: object) => {
    const { scheme, host, port } = kubeletOf(object({ status }))
    return `${scheme}://${host}:${port}`
  }
  assert.equal(at({ addresses }), 'https://1.1.1.1:10250')
  assert.equal(
    at({ addresses: addresses.slice(0, 2), daemonEndpoints: { kubeletEndpoint: { Port: 5 } } }),
    'https://2.2.2.2:5',
  )
  assert.equal(at({ addresses: addresses.slice(0, 1) }), 'https://h:10250')
  assert.throws(() => at({}), { message: 'no preferred addresses found; known addresses: []' })
  assert.ok(speaksWebSocket(object({ status: { declaredFeatures: ['ExtendWebSocketsToKubelet'] } })))
  assert.ok(!speaksWebSocket(object({})))
})

test('containers of every sort may be named', () => {
  const spec = {
    containers: [{ name: 'a' }, { name: 'b' }],
    initContainers: [{ name: 'i' }],
    ephemeralContainers: [{ name: 'e' }],
  }
  for (const name of ['a', 'b', 'i', 'e']) assert.equal(containerOf(object({ spec }), name), name)
  assert.throws(() => containerOf(object({ spec }), ''), {
    message: 'a container name must be specified for pod x, choose one of: [i a b e]',
  })
  assert.equal(
    containerOf(object({ spec: { containers: [{ name: 'a' }], initContainers: [{ name: 'i' }] } }), undefined),
    'a',
  )
})

test('a pod is at its first address', () => {
  const pod = object({
    spec: { containers: [{ name: 'a' }, { name: 'b', ports: [{ containerPort: 8080 }] }] },
    status: { podIP: '10.1.1.1', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] },
  })
  assert.equal(podPlace(pod, 'http', '').port, '8080')
  assert.deepEqual(podPlace(pod, 'https', '7'), {
    scheme: 'https',
    host: '10.0.0.1',
    port: '7',
    kubelet: false,
    vetted: true,
  })
  assert.throws(() => podPlace(object({ status: { podIPs: [{ ip: '169.254.169.254' }] } }), 'http', '80'), {
    message: 'address not allowed',
  })
})
