import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KubeObject } from '../../machinery/object.ts'
import { Lanes } from './lanes.ts'
import { createLookup } from './lookup.ts'
import { Meter } from './meter.ts'
import { reach } from './reach.ts'
import { endpointResolver } from './services.ts'

test('what tenants must not reach is refused in every way to write it', () => {
  const allowed = reach({})
  for (const address of [
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '169.254.169.254',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '2002:7f00:0001::1',
    'fe80::1',
    'fd00:ec2::254',
    'FE80:0::1',
    '255.255.255.255',
    'nonsense',
    '',
  ]) {
    assert.equal(allowed(address), false, address)
  }
  for (const address of ['10.0.0.1', '192.168.1.1', '8.8.8.8', '2001:db8::1', 'fd12::1', '64:ff9b::808:808']) {
    assert.equal(allowed(address), true, address)
  }
  const own = reach({ denied: ['10.0.0.0/8', '127.0.0.0/8'], allowed: ['10.1.2.3/32'] })
  assert.deepEqual(['10.0.0.1', '10.1.2.3', '10.1.2.4', '11.0.0.1'].map(own), [false, true, false, true])
  assert.throws(() => reach({ denied: ['10.0.0.0'] }), TypeError)
})

test('lanes: bounds hold, own lanes are never taken by others, nobody who fits waits', () => {
  const step = fc.record({ cluster: fc.nat({ max: 3 }), end: fc.boolean(), which: fc.nat({ max: 20 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const options = { own: 1, each: 4, shared: 5, queue: 3 }
      const lanes = new Lanes(options)
      const running = [new Set<number>(), new Set<number>(), new Set<number>(), new Set<number>()]
      const calls: { cluster: number; id: number; leave: () => void }[] = []
      let next = 0
      for (const { cluster, end, which } of steps) {
        if (end && calls.length > 0) {
          const [call] = calls.splice(which % calls.length, 1)
          running[call!.cluster]!.delete(call!.id)
          call!.leave()
          call!.leave()
        } else {
          const id = next++
          const before = running[cluster]!.size
          const leave = lanes.enter(String(cluster), () => running[cluster]!.add(id))
          if (leave !== undefined) calls.push({ cluster, id, leave })
          if (before === 0) assert.ok(running[cluster]!.has(id), 'an own lane is always free')
        }
        const taken = running.reduce((sum, { size }) => sum + Math.max(0, size - options.own), 0)
        assert.ok(taken <= options.shared && running.every(({ size }) => size <= options.each))
        for (const [i, set] of running.entries()) {
          const waits = calls.some((call) => call.cluster === i && !set.has(call.id))
          if (waits) assert.ok(set.size >= options.own && (set.size >= options.each || taken >= options.shared))
        }
        const sum = running.reduce((total, { size }) => total + size, 0)
        assert.deepEqual(lanes.load, { running: sum, waiting: calls.length - sum })
      }
    }),
  )
})

test('the meter: a cluster holds what is its own, and more while there is', () => {
  const meter = new Meter({ own: 10, each: 30, shared: 25 })
  assert.equal(meter.take('a', 30), true)
  assert.equal(meter.take('a', 1), false)
  assert.equal(meter.take('b', 16), false)
  assert.equal(meter.take('b', 15), true)
  assert.equal(meter.take('c', 10), true)
  assert.equal(meter.take('c', 1), false)
  meter.give('a', 30)
  assert.equal(meter.take('c', 20), true)
})

test('names are found in the hosts file, and localhost without anybody', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'webhooks-hosts-'))
  t.after(() => rm(folder, { recursive: true }))
  const hosts = join(folder, 'hosts')
  await writeFile(hosts, '# comment\n10.1.1.1 one.example One # more\n10.1.1.2 one.example\n\n')
  const lookup = createLookup({ hosts })
  assert.deepEqual(await lookup('ONE.example.'), ['10.1.1.1', '10.1.1.2'])
  assert.deepEqual(await lookup('one'), ['10.1.1.1'])
  assert.deepEqual(await lookup('localhost'), ['127.0.0.1', '::1'])
  assert.deepEqual(await lookup('a.localhost'), ['127.0.0.1', '::1'])
})

test('a Service is a ready endpoint of its port', async () => {
  const service = (spec: object): KubeObject => ({ metadata: { name: 'hook', namespace: 'ns' }, spec })
  const slice = (name: string, more: object): KubeObject => ({
    metadata: { name: `${name}-1`, namespace: 'ns', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ...more,
  })
  const ports = [
    { name: 'https', port: 9443 },
    { name: 'other', port: 1 },
  ]
  const slices = [
    slice('other', { ports, endpoints: [{ addresses: ['10.9.9.9'] }] }),
    slice('hook', {
      ports,
      endpoints: [
        { addresses: ['10.0.0.1'], conditions: { ready: false } },
        { addresses: ['10.0.0.2'], conditions: { ready: true } },
        { addresses: ['10.0.0.3'] },
      ],
    }),
    slice('hook', { addressType: 'IPv6', ports, endpoints: [{ addresses: ['fd00::1'] }] }),
    slice('hook', { addressType: 'FQDN', ports, endpoints: [{ addresses: ['metadata.internal'] }] }),
  ]
  let random = 0
  let spec: object = { ports: [{ name: 'https', port: 443, targetPort: 9443 }], ipFamilies: ['IPv4'] }
  const resolver = endpointResolver(
    { service: (_, name) => (name === 'hook' ? service(spec) : undefined), slices: () => slices },
    () => random,
  )
  const resolve = async (name = 'hook', port = 443) => resolver.resolve('ns', name, port)
  assert.deepEqual(await resolve(), { host: '10.0.0.2', port: 9443 })
  random = 0.99
  assert.deepEqual(await resolve(), { host: '10.0.0.3', port: 9443 })
  await assert.rejects(resolve('none'), { message: 'service "none" not found' })
  await assert.rejects(resolve('hook', 80), { message: 'no service port 80 found for service "hook"' })
  spec = { ports: [{ name: 'third', port: 443 }] }
  await assert.rejects(resolve(), { message: 'no endpoints available for service "hook"' })
  spec = { type: 'ExternalName', externalName: 'hook.example.com' }
  assert.deepEqual(await resolve('hook', 8443), { host: 'hook.example.com', port: 8443 })
})
