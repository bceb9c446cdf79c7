import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, parseLog, parseReport } from './report.ts'

const spec = (name: string, state: string, more: object = {}) => ({
  ContainerHierarchyTexts: ['[sig-x] Thing'],
  LeafNodeText: name,
  LeafNodeType: 'It',
  State: state,
  RunTime: 1_500_000_000,
  ...more,
})
const report = (...specs: object[]) => JSON.stringify([{ SpecReports: specs }])

test('a report tells what ran, and why it failed', () => {
  const at = { FileName: '/go/pkg/mod/k8s.io/kubernetes@v1/test/e2e/x/y.go', LineNumber: 7 }
  const suite = { ...spec('', 'passed'), LeafNodeType: 'SynchronizedBeforeSuite' }
  const text = report(
    suite,
    spec('works', 'passed'),
    spec('breaks', 'failed', { Failure: { Message: 'no', Location: at } }),
    spec('panics', 'panicked', { Failure: { Message: 'Test Panicked', ForwardedPanic: 'index', Location: at } }),
    spec('not asked for', 'skipped', { RunTime: 0 }),
  )
  assert.deepEqual(parseReport(text), [
    { name: '[sig-x] Thing works', passed: true, seconds: 1.5, failure: '' },
    { name: '[sig-x] Thing breaks', passed: false, seconds: 1.5, failure: 'failed (test/e2e/x/y.go:7): no' },
    {
      name: '[sig-x] Thing panics',
      passed: false,
      seconds: 1.5,
      failure: 'panicked (test/e2e/x/y.go:7): Test Panicked index',
    },
  ])
  const failed = { ...suite, State: 'failed', Failure: { Message: 'no nodes' } }
  assert.throws(() => parseReport(report(failed)), /^Error: SynchronizedBeforeSuite: failed: no nodes$/)
})

const log = `------------------------------
• [0.053 seconds]
[sig-x] Thing [Privileged:ClusterAdmin] should work [Conformance] [sig-x, Conformance]
x/y.go:1

  Timeline >>
  << Timeline
------------------------------
• [FAILED] [12.020 seconds]
[sig-x] Thing [It] should break [Conformance] [sig-x, Conformance]
x/y.go:2

  [FAILED] in [It] - x/y.go:3 @ 11/21/26
  << Timeline

  [FAILED] timed out
  In [It] at: x/y.go:3
------------------------------
[SynchronizedAfterSuite] PASSED [0.1 seconds]
------------------------------
`

test('a log tells the same of the tests that have finished', () => {
  assert.deepEqual(parseLog(log), [
    {
      name: '[sig-x] Thing [Privileged:ClusterAdmin] should work [Conformance]',
      passed: true,
      seconds: 0.053,
      failure: '',
    },
    { name: '[sig-x] Thing should break [Conformance]', passed: false, seconds: 12.02, failure: 'failed: timed out' },
  ])
  assert.deepEqual(parseLog('Running Suite\n'), [])
})

test('what is known to pass is told from what is not', () => {
  const of = (name: string, passed: boolean) => ({ name, passed, seconds: 1, failure: passed ? '' : 'no' })
  const results = [of('a', true), of('b', false), of('c', true), of('d', false)]
  assert.deepEqual(judge(results, ['a', 'b', 'c', 'd', 'e'], new Set(['a', 'b', 'e'])), {
    broken: [of('b', false)],
    missing: ['e'],
    newlyGreen: ['c'],
    red: [of('d', false)],
  })
})
