import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from './registry.ts'
import { requestMetrics } from './requests.ts'

test('text format', () => {
  const registry = new Registry()
  const counter = registry.counter({ name: 'c_total', help: 'A\nb.', labels: ['x', 'y'] })
  counter.add(['1', 'a"b\\c\n'])
  counter.add(['1', 'a"b\\c\n'], 2)
  const histogram = registry.histogram({ name: 'h', help: 'H.', buckets: [0.1, 1] })
  for (const value of [0.1, 0.5, 2]) histogram.observe(value)
  registry.gauge({ name: 'g', help: 'G.' }, () => 7)
  assert.equal(
    registry.render(),
    `# HELP c_total A\\nb.
# TYPE c_total counter
c_total{x="1",y="a\\"b\\\\c\\n"} 3
# HELP h H.
# TYPE h histogram
h_bucket{le="0.1"} 1
h_bucket{le="1"} 2
h_bucket{le="+Inf"} 3
h_sum 2.6
h_count 3
# HELP g G.
# TYPE g gauge
g 7
`,
  )
  assert.throws(() => registry.counter({ name: 'g', help: '' }), TypeError)
  assert.throws(() => counter.add(['1']), TypeError)
})

test('labels are bounded', () => {
  const registry = new Registry()
  const counter = registry.counter({ name: 'c', help: 'C.', labels: ['x'], series: 2 })
  for (const x of ['a', 'b', 'c', 'd', 'a']) counter.add([x])
  assert.match(registry.render(), /c\{x="a"\} 2\nc\{x="b"\} 1\nc\{x="other"\} 2\n$/)
})

test('requests: what clients choose is no label, and a cluster that is gone leaves nothing', () => {
  const metrics = requestMetrics()
  const sample = { group: 'apps', version: 'v1', resource: 'deployments', subresource: '', code: 200, seconds: 0.01 }
  metrics.observe({ ...sample, verb: 'get' })
  metrics.observe({ ...sample, verb: 'brew' })
  metrics.observe({ ...sample, verb: 'watch' })
  const text = metrics.render()
  const labels = 'group="apps",version="v1",resource="deployments",subresource=""'
  assert.ok(text.includes(`apiserver_request_total{verb="GET",${labels},code="200"} 1\n`))
  assert.ok(text.includes(`apiserver_request_total{verb="other",${labels},code="200"} 1\n`))
  assert.ok(text.includes(`apiserver_request_duration_seconds_bucket{verb="GET",${labels},le="0.025"} 1\n`))
  assert.ok(!text.includes('apiserver_request_duration_seconds_count{verb="WATCH"'))
  metrics.waited('t1', 0.2)
  metrics.refused('t1', 'queue-full')
  assert.match(metrics.render(), /tenantry_fairshare_wait_seconds_count\{cluster="t1"\} 1/)
  metrics.forget('t1')
  assert.ok(!metrics.render().includes('t1'))
})
