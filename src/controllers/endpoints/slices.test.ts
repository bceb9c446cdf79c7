import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Pod, Service } from '../objects.ts'
import { findPort } from './endpoint.ts'
import { type EndpointSlice, MAX_ENDPOINTS, sliceChanges } from './slices.ts'
import { CAPACITY, subsetsOf } from './subsets.ts'

const service: Service = {
  metadata: { name: 'web', namespace: 'default', uid: 'web', labels: { team: 'a' } },
  spec: { clusterIP: '10.96.0.9', ipFamilies: ['IPv4'], selector: { app: 'web' }, ports: [{ name: 'http', port: 80 }] },
}

function pod(index: number, ready = true, extra: Partial<Pod['metadata']> = {}): Pod {
  return {
    metadata: { name: `p${index}`, namespace: 'default', uid: `p${index}`, ...extra },
    spec: { nodeName: 'n', containers: [] },
    status: {
      phase: 'Running',
      podIPs: [{ ip: `10.0.${index >> 8}.${index & 255}` }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  }
}

/** The slices after the changes, named as they come. */
let names = 0
function apply(before: readonly EndpointSlice[], pods: readonly Pod[], of = service): EndpointSlice[] {
  const changes = sliceChanges(of, pods, before, () => undefined)
  const updated = new Map(changes.update.map((slice) => [slice.metadata.name, slice]))
  const made = changes.create.map((slice) => ({ ...slice, metadata: { ...slice.metadata, name: `s${names++}` } }))
  return [
    ...before.filter((one) => !changes.delete.includes(one)).map((one) => updated.get(one.metadata.name) ?? one),
    ...made,
  ]
}

const say = (slices: readonly EndpointSlice[]): string =>
  slices
    .map(
      (one) =>
        `[${(one.endpoints ?? []).map(({ targetRef, conditions }) => `${targetRef.name}${conditions.ready ? '' : '!'}`).join(' ')}]`,
    )
    .join(' ')

test('endpoints stay where they are, and no change means no write', () => {
  let slices = apply([], [pod(1), pod(2, false)])
  assert.equal(say(slices), '[p1 p2!]')
  assert.deepEqual(
    sliceChanges(service, [pod(2, false), pod(1)], slices, () => undefined),
    { create: [], update: [], delete: [] },
  )
  const [{ metadata }] = slices as [EndpointSlice]
  slices = apply(slices, [pod(2), pod(3)])
  assert.equal(say(slices), '[p2 p3]')
  assert.equal(slices[0]!.metadata.name, metadata.name)
  assert.deepEqual(slices[0]!.metadata.labels, {
    team: 'a',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  })
})

test('without endpoints one empty slice stays, headless ones are marked', () => {
  const headless: Service = { ...service, spec: { ...service.spec, clusterIP: 'None' } }
  const empty = apply([], [], headless)
  assert.equal(say(empty), '[]')
  assert.equal(empty[0]!.metadata.labels!['service.kubernetes.io/headless'], '')
  assert.equal(apply(empty, [], headless)[0], empty[0])
  assert.equal(say(apply(apply(empty, [pod(1)], headless), [], headless)), '[]')
})

test('terminating pods serve but are not ready; finished ones are none', () => {
  const ending = pod(1, true, { deletionTimestamp: '2026-01-01T00:00:00Z' })
  const done: Pod = { ...pod(2), status: { ...pod(2).status!, phase: 'Succeeded' } }
  const [slice] = apply([], [ending, done])
  assert.deepEqual(
    slice!.endpoints!.map(({ conditions }) => conditions),
    [{ ready: false, serving: true, terminating: true }],
  )
  const all: Service = { ...service, spec: { ...service.spec, publishNotReadyAddresses: true } }
  assert.equal(say(apply([], [pod(1, false)], all)), '[p1]')
})

test('named ports split slices by what they mean in each pod', () => {
  const named: Service = { ...service, spec: { ...service.spec, ports: [{ port: 80, targetPort: 'web' }] } }
  const withPort = (index: number, containerPort: number): Pod => {
    const one = pod(index)
    return { ...one, spec: { ...one.spec, containers: [{ name: 'c', ports: [{ name: 'web', containerPort }] }] } }
  }
  const slices = apply([], [withPort(1, 8080), withPort(2, 8081), withPort(3, 8080)], named)
  assert.equal(say(slices), '[p1 p3] [p2]')
  assert.equal(findPort(withPort(1, 1), { port: 80, targetPort: 'web', protocol: 'UDP' }), undefined)
  assert.equal(findPort(withPort(1, 1), { port: 80 }), 80)
})

test('slices of another address type or owner go', () => {
  const foreign = apply([], [pod(1)], { ...service, metadata: { ...service.metadata, uid: 'older' } })
  const six = [{ ...foreign[0]!, addressType: 'IPv6', metadata: { ...foreign[0]!.metadata, name: 'six' } }]
  assert.equal(say(apply([...foreign, ...six], [pod(1)])), '[p1]')
})

test('after any series of changes the slices hold exactly the pods, none too full, and then nothing changes', () => {
  const pods = fc.uniqueArray(fc.nat(400), { maxLength: 350 })
  fc.assert(
    fc.property(fc.array(pods, { minLength: 1, maxLength: 5 }), (steps) => {
      let slices: EndpointSlice[] = []
      for (const step of steps) {
        const wanted = step.map((index) => pod(index))
        slices = apply(slices, wanted)
        const held = slices.flatMap(({ endpoints }) => endpoints!.map(({ targetRef }) => targetRef.name))
        assert.deepEqual(held.toSorted(), wanted.map(({ metadata }) => metadata.name!).toSorted())
        assert.ok(slices.every(({ endpoints }) => endpoints!.length <= MAX_ENDPOINTS))
        const again = sliceChanges(service, wanted, slices, () => undefined)
        assert.deepEqual(again, { create: [], update: [], delete: [] })
      }
    }),
    { numRuns: 40 },
  )
})

test('subsets keep ready and other addresses apart, and no more than there is room for', () => {
  const { subsets } = subsetsOf(service, [pod(2), pod(1), pod(3, false)])
  assert.deepEqual(
    subsets.map((one) => [one.addresses?.map(({ ip }) => ip), one.notReadyAddresses?.map(({ ip }) => ip), one.ports]),
    [[['10.0.0.1', '10.0.0.2'], ['10.0.0.3'], [{ name: 'http', port: 80, protocol: 'TCP' }]]],
  )
  const many = subsetsOf(
    service,
    Array.from({ length: 1100 }, (_, i) => pod(i, i % 2 === 0)),
  )
  assert.equal(many.truncated, true)
  const [one] = many.subsets
  assert.deepEqual([one!.addresses!.length, one!.notReadyAddresses!.length], [550, CAPACITY - 550])
})
