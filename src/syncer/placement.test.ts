import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { placement } from './placement.ts'

const label = fc.stringMatching(/^[a-z0-9]([-ax0-9]{0,60}[a-z0-9])?$/).filter((s) => s.length <= 63)
const tricky = fc.oneof(
  label,
  fc.array(fc.constantFrom('a', 'x', 'b', '-x-'), { minLength: 1, maxLength: 6 }).map((p) => `a${p.join('')}a`),
)
const subdomain = fc.oneof(
  tricky,
  fc.tuple(tricky, tricky).map((p) => p.join('.')),
  label.map((l) => l.repeat(4).slice(0, 253)),
)

const clusters = [
  { uid: 'u1', namespace: 'team', name: 'a' },
  { uid: 'u2', namespace: 'team', name: 'a-x-b' },
  { uid: 'u3', namespace: 'team', name: 'b' },
]

for (const mode of ['namespaces', 'single'] as const) {
  test(`${mode}: two tenant objects never share a host name`, () => {
    const places = clusters.map((c) => placement({ mode, ...c }))
    fc.assert(
      fc.property(fc.nat(2), tricky, subdomain, fc.nat(2), tricky, subdomain, (c1, ns1, n1, c2, ns2, n2) => {
        fc.pre(c1 !== c2 || ns1 !== ns2 || n1 !== n2)
        const one = `${places[c1]!.namespace(ns1)}/${places[c1]!.name(ns1, n1)}`
        const two = `${places[c2]!.namespace(ns2)}/${places[c2]!.name(ns2, n2)}`
        assert.notEqual(one, two)
      }),
      { numRuns: 3000 },
    )
  })

  test(`${mode}: names are valid on the host`, () => {
    const place = placement({ mode, ...clusters[0]! })
    fc.assert(
      fc.property(tricky, subdomain, (ns, name) => {
        assert.match(place.namespace(ns), /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
        const host = place.name(ns, name)
        assert.match(host, /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
        assert.ok(mode === 'namespaces' || host.length <= 63)
        assert.equal(host, place.name(ns, name))
      }),
      { numRuns: 1000 },
    )
  })
}

test('single: the plain form is vcluster’s', () => {
  const place = placement({ mode: 'single', uid: 'u', namespace: 'team', name: 'a' })
  assert.equal(place.name('default', 'web'), 'web-x-default-x-a')
})

test('single: what could be read two ways gets a hash', () => {
  const place = placement({ mode: 'single', uid: 'u', namespace: 'team', name: 'c' })
  assert.notEqual(place.name('b', 'a-x'), place.name('x-b', 'a'))
  assert.match(place.name('b', 'a-x'), /^a-x-x-b-x-c-[0-9a-f]{16}$/)
})

test('namespaces: what the host makes itself is never overwritten', () => {
  const place = placement({ mode: 'namespaces', uid: 'u', namespace: 'team', name: 'c' })
  assert.match(place.name('default', 'kube-root-ca.crt'), /^tenantry-kube-root-ca.crt-[0-9a-f]{8}$/)
  assert.equal(place.name('default', 'web'), 'web')
})
