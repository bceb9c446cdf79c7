import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClusterMetrics } from './cluster.ts'
import { Registry } from './registry.ts'
import { goFloat } from './text.ts'
import { waitMetrics } from './waits.ts'

test('text format', () => {
  const registry = new Registry()
  const histogram = registry.histogram({ name: 'h', help: 'H.', buckets: [0.1, 1] })
  for (const value of [0.1, 0.5, 2]) histogram.observe(value)
  const counter = registry.counter({ name: 'c_total', help: 'A\nb.', stability: 'BETA', labels: ['x', 'y'] })
  counter.add(['1', 'a"b\\c\n'])
  counter.add(['1', 'a"b\\c\n'], 2)
  counter.add(['0', ''])
  registry.gauge({ name: 'g', help: 'G.' }, () => 7)
  registry.gauge({ name: 'n', help: 'Nothing is shown of it.', labels: ['x'] })
  assert.equal(
    registry.render(),
    `# HELP c_total [BETA] A\\nb.
# TYPE c_total counter
c_total{x="0",y=""} 1
c_total{x="1",y="a\\"b\\\\c\\n"} 3
# HELP g G.
# TYPE g gauge
g 7
# HELP h H.
# TYPE h histogram
h_bucket{le="0.1"} 1
h_bucket{le="1"} 2
h_bucket{le="+Inf"} 3
h_sum 2.6
h_count 3
`,
  )
  assert.throws(() => registry.counter({ name: 'g', help: '' }), TypeError)
  assert.throws(() => counter.add(['1']), TypeError)
})

test('numbers are written as Go writes them', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [-0.5, '-0.5'],
    [12, '12'],
    [0.0001, '0.0001'],
    [1e-5, '1e-05'],
    [0.0001234, '0.0001234'],
    [9.999999999999999e-6, '9.999999999999999e-06'],
    [131_072, '131072'],
    [999_999.5, '999999.5'],
    [1e6, '1e+06'],
    [1_048_576, '1.048576e+06'],
    [1.79597910251e9, '1.79597910251e+09'],
    [Infinity, '+Inf'],
    [NaN, 'NaN'],
  ]
  for (const [value, text] of cases) assert.equal(goFloat(value), text)
})

test('what is not measured counts as the last that was; sets begin anew', () => {
  const registry = new Registry()
  const histogram = registry.histogram({ name: 'h', help: 'H.', labels: ['x'], buckets: [1] })
  const cell = histogram.at(['a'])
  cell.repeat()
  cell.observe(2, 2)
  cell.repeat()
  assert.deepEqual(cell.read(), { counts: [1, 3], sum: 6 })
  registry.reset()
  cell.observe(0.5)
  assert.match(registry.render(), /h_count\{x="a"\} 1\n$/)
})

test('labels are bounded', () => {
  const registry = new Registry()
  const counter = registry.counter({ name: 'c', help: 'C.', labels: ['x'], series: 2 })
  for (const x of ['a', 'b', 'c', 'd', 'a']) counter.add([x])
  assert.match(registry.render(), /c\{x="a"\} 2\nc\{x="b"\} 1\nc\{x="other"\} 2\n$/)
})

test('a tenant that makes names without an end makes no series without an end', () => {
  const metrics = new ClusterMetrics()
  const lines = (): number => metrics.render().split('\n').length
  const round = (from: number): void => {
    for (let i = from; i < from + 3000; i++) {
      const name = `n${i}`
      const info = { group: name, version: 'v1', resource: name }
      const route = metrics.requests.route(info, {
        info,
        verb: 'GET',
        subresource: '',
        scope: 'resource',
        endless: false,
      })
      route.done(200, 0.1, 0)
      route.answered(10)
      route.received('create', 10)
      metrics.requests.terminated(route, 504)
      metrics.requests.aborted(route)
      metrics.requests.deprecated(route)
      metrics.requests.longRunning(route, 1)
      metrics.watches.of(info, 'cluster').sent(1, 10)
      metrics.flow.flow(name, name).begin(1, 0.1)
      metrics.flow.flow(name, name).reject('time-out', 1)
      const { admission } = metrics
      const called = { name, type: 'admit', operation: 'CREATE', code: i, rejected: true, seconds: 1 } as const
      admission.called(called)
      admission.rejected(called, 'no_error')
      admission.failedOpen(name, 'admit')
      admission.conditions('webhook', name, 'admit', 'CREATE', 'excluded', 1)
      admission.conditions('webhook', name, 'admit', 'CREATE', 'failed', 1)
      admission.validatingPolicy(name, name, 'deny', 'no_error', 1)
      admission.mutatingPolicy(name, name, 'no_error', 1)
      metrics.access.authenticated('success', `${name}@example.com`, 1)
    }
  }
  round(0)
  const full = lines()
  assert.ok(full < 80_000, String(full))
  round(3000)
  assert.equal(lines(), full)
})

test('a cluster that is gone leaves nothing', () => {
  const registry = new Registry()
  const waits = waitMetrics(registry)
  waits.waited('t1', 0.2)
  waits.refused('t1', 'queue-full')
  assert.match(registry.render(), /tenantry_fairshare_wait_seconds_count\{cluster="t1"\} 1/)
  waits.forget('t1')
  assert.ok(!registry.render().includes('t1'))
})
