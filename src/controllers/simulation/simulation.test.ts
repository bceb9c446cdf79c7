import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ContainerState, Pod, PodSpec } from '../objects.ts'
import { simulatedLog } from '../simulated-log.ts'
import { AddressPool, nodeAddress, podCidr } from './addresses.ts'
import { behaviourOf, tagOf } from './behaviour.ts'
import { HostPorts } from './host-ports.ts'
import { statusAt, terminationTime } from './status.ts'
import { momentOf } from './timeline.ts'

const START = Date.parse('2026-01-01T00:00:00Z')

function pod(
  spec: Partial<PodSpec> & { command?: string[]; image?: string } = {},
  annotations: Record<string, string> = {},
): Pod {
  const { command, image = 'nginx', ...rest } = spec
  const container = { name: 'main', image, ...(command === undefined ? {} : { command }) }
  return {
    metadata: { name: 'p', namespace: 'default', uid: 'u', generation: 1, annotations },
    spec: { nodeName: 'n', containers: [container], ...rest },
  }
}

const at = (one: Pod, seconds: number) =>
  statusAt(one, { podIP: '10.0.0.1', hostIP: '100.64.0.1', started: START }, START + seconds * 1000)

function stateOf(state: ContainerState | undefined): string {
  if (state?.running !== undefined) return 'running'
  if (state?.terminated !== undefined) return `exit ${state.terminated.exitCode}`
  return state?.waiting?.reason ?? 'nothing'
}

/** Phase, then each container's state, restarts and readiness. */
function say(one: Pod, seconds: number): string {
  const { status } = at(one, seconds)
  const all = [...(status.initContainerStatuses ?? []), ...status.containerStatuses!]
  return `${status.phase}: ${all.map(({ state, restartCount, ready }) => `${stateOf(state)} ×${restartCount}${ready ? ' ready' : ''}`).join(', ')}`
}

test('commands', () => {
  const read = (...command: string[]): string => {
    const what = behaviourOf(pod(), { name: 'c', image: 'x', command }, false)
    return what.type === 'exits' ? `exit ${what.code} after ${what.after}` : what.type
  }
  assert.equal(read('true'), 'exit 0 after 0')
  assert.equal(read('/bin/false'), 'exit 1 after 0')
  assert.equal(read('sleep', '1.5'), 'exit 0 after 1500')
  assert.equal(read('sleep', '2m'), 'exit 0 after 120000')
  assert.equal(read('sleep', 'infinity'), 'runs')
  assert.equal(read('sh', '-c', 'echo "a > b" && sleep 3; exit 7; sleep 9'), 'exit 7 after 3000')
  assert.equal(read('sh', '-c', 'exit 300'), 'exit 44 after 0')
  assert.equal(read('sh', '-c', 'while true; do sleep 1; done'), 'runs')
  assert.equal(read('sh', '-c', 'sleep 1 | cat'), 'runs')
  assert.equal(read('nginx'), 'runs')
  const image = (name: string, more: object = {}) => behaviourOf(pod(), { name: 'c', image: name, ...more }, false).type
  assert.equal(image('busybox'), 'exits')
  assert.equal(image('registry.example.com/tools/busybox:1.37@sha256:x'), 'exits')
  assert.equal(image('busybox:1', { stdin: true }), 'runs')
  assert.equal(image('busybox:1', { args: ['httpd', '-f'] }), 'runs')
  assert.equal(image('busybox/other'), 'runs')
  assert.equal(read(), 'runs')
  assert.equal(tagOf('host:5000/a/b'), '')
  assert.equal(tagOf('host:5000/a/b:404@sha256:x'), '404')
})

const story: readonly [what: string, pod: Pod, moments: Record<number, string>][] = [
  ['a server', pod(), { 0: 'Running: running ×0 ready', 1e6: 'Running: running ×0 ready' }],
  [
    'a job',
    pod({ command: ['sleep', '5'], restartPolicy: 'Never' }),
    { 0: 'Running: running ×0 ready', 5: 'Succeeded: exit 0 ×0' },
  ],
  ['a failing job', pod({ command: ['false'], restartPolicy: 'Never' }), { 0: 'Failed: exit 1 ×0' }],
  [
    'a job that goes well is not repeated',
    pod({ command: ['true'], restartPolicy: 'OnFailure' }),
    { 0: 'Succeeded: exit 0 ×0' },
  ],
  [
    'a crash loop: at once, then after 10, 20, 40 seconds',
    pod({ command: ['false'] }),
    {
      0: 'Running: CrashLoopBackOff ×1',
      10: 'Running: CrashLoopBackOff ×2',
      29: 'Running: CrashLoopBackOff ×2',
      30: 'Running: CrashLoopBackOff ×3',
      70: 'Running: CrashLoopBackOff ×4',
    },
  ],
  [
    'a bad image',
    pod({ image: 'nginx:404' }),
    { 0: 'Pending: ErrImagePull ×0', 1: 'Pending: ImagePullBackOff ×0', 1e5: 'Pending: ImagePullBackOff ×0' },
  ],
  [
    'init containers, then the main one',
    pod({
      initContainers: [
        { name: 'a', image: 'x', command: ['sleep', '2'] },
        { name: 'b', image: 'x' },
      ],
    }),
    {
      0: 'Pending: running ×0 ready, PodInitializing ×0, PodInitializing ×0',
      2: 'Running: exit 0 ×0 ready, exit 0 ×0 ready, running ×0 ready',
    },
  ],
  [
    'an init container that fails for good',
    pod({ restartPolicy: 'Never', initContainers: [{ name: 'a', image: 'x', command: ['false'] }] }),
    { 0: 'Failed: exit 1 ×0, PodInitializing ×0' },
  ],
  [
    'a sidecar',
    pod({ initContainers: [{ name: 'a', image: 'x', restartPolicy: 'Always' }] }),
    { 0: 'Running: running ×0 ready, running ×0 ready' },
  ],
  [
    'delays',
    pod({}, { 'simulated.tenantry.dev/start-delay-seconds': '2', 'simulated.tenantry.dev/ready-delay-seconds': '3' }),
    { 0: 'Pending: ContainerCreating ×0', 2: 'Running: running ×0', 5: 'Running: running ×0 ready' },
  ],
  ['never ready', pod({}, { 'simulated.tenantry.dev/ready': 'false' }), { 1e6: 'Running: running ×0' }],
  [
    'told how to end',
    pod(
      { restartPolicy: 'Never' },
      { 'simulated.tenantry.dev/run-seconds': '4', 'simulated.tenantry.dev/exit-code': '9' },
    ),
    { 3: 'Running: running ×0 ready', 4: 'Failed: exit 9 ×0' },
  ],
  ['a deadline', pod({ activeDeadlineSeconds: 3 }), { 2: 'Running: running ×0 ready', 3: 'Failed: exit 137 ×0' }],
]

for (const [what, one, moments] of story) {
  test(`simulated: ${what}`, () => {
    for (const [seconds, expected] of Object.entries(moments)) assert.equal(say(one, Number(seconds)), expected)
  })
}

test('a status says when it changes, and does not change before', () => {
  for (const [, one] of story) {
    let seconds = 0
    for (let i = 0; i < 12; i++) {
      const { next } = at(one, seconds)
      if (next === Infinity) break
      const then = (next - START) / 1000
      assert.ok(then > seconds)
      assert.equal(say(one, then - 0.001), say(one, seconds))
      seconds = then
    }
  }
})

test('long crash loops are counted without walking through them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 1, max: 400_000 }), (seconds, moment) => {
      const behaviour = { type: 'exits', after: seconds * 1000, code: 1 } as const
      const now = START + moment * 1000
      const found = momentOf(behaviour, START, 'Always', now)
      let [begin, restarts, pause] = [START, 0, 0]
      for (;;) {
        const end = begin + behaviour.after
        if (now < end + pause || (pause === 0 && now < end)) break
        begin = end + pause
        restarts++
        pause = seconds >= 600 || restarts === 1 ? 10_000 : Math.min(300_000, pause * 2)
      }
      assert.equal(found.restarts, restarts)
      assert.ok(found.next > now)
    }),
    { numRuns: 200 },
  )
})

test('addresses are in their range, never given twice, and come back', () => {
  assert.equal(podCidr(0), '10.128.0.0/19')
  assert.equal(podCidr(511), '10.191.224.0/19')
  assert.equal(podCidr(512), '10.192.0.0/24')
  assert.equal(nodeAddress(0), '100.64.0.1')
  const pool = new AddressPool('10.0.0.0/29')
  pool.reserve('old', '10.0.0.2')
  const given = ['a', 'b', 'c', 'd', 'e'].map((uid) => pool.take(uid))
  assert.deepEqual(given, ['10.0.0.1', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6'])
  assert.equal(pool.take('f'), undefined)
  assert.equal(pool.take('a'), '10.0.0.1')
  pool.release('old')
  assert.equal(pool.take('f'), '10.0.0.2')
})

test('the log says what was simulated', () => {
  const one = pod({ command: ['false'], restartPolicy: 'Never' })
  const ended: Pod = { ...one, status: at(one, 0).status }
  assert.equal(
    simulatedLog(ended, {}, START),
    'simulated: container main started with image nginx on node n\n' +
      'simulated: no program runs here, ["false"] is only pretended\n' +
      'simulated: container main exited with code 1 after 0 s\n',
  )
  assert.equal(
    simulatedLog(ended, { tailLines: 1, timestamps: true }, START).slice(0, 31),
    '2026-01-01T00:00:00Z simulated:',
  )
  assert.equal(simulatedLog(ended, { sinceSeconds: 5 }, START + 10_000), '')
  assert.equal(simulatedLog(ended, { limitBytes: 9 }, START), 'simulated')
  assert.throws(
    () => simulatedLog(one, {}, START),
    /container "main" in pod "p" is waiting to start: ContainerCreating/,
  )
  assert.throws(
    () => simulatedLog(ended, { previous: true }, START),
    /previous terminated container "main" in pod "p" not found/,
  )
})

test('stopping takes its time while containers run', () => {
  const running = { ...pod(), status: at(pod(), 1).status }
  assert.equal(terminationTime(running, 30_000), 1300)
  assert.equal(terminationTime(running, 1000), 1000)
  assert.equal(terminationTime(running, 0), 0)
  assert.equal(terminationTime(pod(), 30_000), 0)
  const patient = pod({}, { 'simulated.tenantry.dev/termination-seconds': '5' })
  assert.equal(terminationTime(patient, 30_000), 5000)
  const ended = pod({ command: ['true'], restartPolicy: 'Never' })
  assert.equal(terminationTime({ ...ended, status: at(ended, 1).status }, 30_000), 0)
})

test('host ports belong to one pod of a node', () => {
  const ports = new HostPorts()
  const port = (number: number, ip = '0.0.0.0', protocol = 'TCP') => [{ ip, protocol, port: number }]
  assert.ok(ports.take('n', 'a', port(80)))
  assert.ok(ports.take('n', 'a', port(80)))
  assert.ok(!ports.take('n', 'b', port(80, '10.0.0.1')))
  assert.ok(ports.take('n', 'b', port(80, '0.0.0.0', 'UDP')))
  assert.ok(ports.take('m', 'c', port(80)))
  assert.ok(ports.take('n', 'd', []))
  ports.release('n', 'a')
  assert.ok(ports.take('n', 'e', port(80, '10.0.0.1')))
  assert.ok(ports.take('n', 'f', port(80, '10.0.0.2')))
})
