/** The CLI as a user sees it: outputs, errors, exit codes. */
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import type { ChildProcess } from 'node:child_process'
import { findKubectl, skipWithout } from './support/kubernetes.ts'
import { end, Tenantry } from './support/tenantry.ts'

suite('without a host', () => {
  const cli = new Tenantry()
  after(() => cli[Symbol.dispose]())

  test('help names every command', async () => {
    const { stdout, code } = await cli.run('help')
    assert.equal(code, 0)
    for (const name of [
      'up',
      'create',
      'list',
      'status',
      'connect',
      'delete',
      'cluster',
      'manager',
      'nodes',
      'version',
    ]) {
      assert.match(stdout, new RegExp(`^  ${name} +\\S`, 'm'))
    }
    assert.match(stdout, /Exit codes: 0 done/)
  })

  test('help of a command has usage, options and examples', async () => {
    const { stdout } = await cli.run('help create')
    assert.match(
      stdout,
      /^Create a virtual cluster and wait until it answers\.\n\nUsage: tenantry create NAME \[OPTIONS\]\n\nOptions:\n/,
    )
    assert.match(stdout, /--engine ENGINE +packed \(in the manager\) or dedicated \(own process\) \(default: packed\)/)
    assert.match(stdout, /Examples:\n {2}tenantry create team-a\n/)
    assert.equal((await cli.run('create --help')).stdout, stdout)
  })

  test('wrong words are refused with what to do', async () => {
    for (const [words, says] of [
      ['nope', 'tenantry: there is no command "nope"\nSee "tenantry help".\n'],
      ['create', 'tenantry: usage: tenantry create NAME [OPTIONS]\nSee "tenantry help create".\n'],
      [
        'create a --engine x',
        'tenantry: --engine is "x", it must be one of packed, dedicated\nSee "tenantry help create".\n',
      ],
      [
        'up --allow-calls 10.0.0.0',
        'tenantry: "10.0.0.0" is no address range, such as 10.0.0.0/8\nRanges are written as 10.0.0.0/8 and joined by commas.\n',
      ],
      ['create a --weight 0', 'tenantry: --weight is "0", it must be a whole number from 1 to 100\n'],
    ] as const) {
      const ran = await cli.run(words)
      assert.deepEqual([ran.stderr, ran.code], [says, 2], words)
    }
  })

  test('no host is said, with how to start one', async () => {
    const { stderr, code } = await cli.run('list')
    assert.equal(code, 5)
    assert.match(
      stderr,
      /^tenantry: no host cluster: .*\nStart one with "tenantry up", or name one with --kubeconfig FILE\.\n$/,
    )
  })

  test('version', async () => {
    const { stdout } = await cli.run('version --output json')
    assert.deepEqual(Object.keys(JSON.parse(stdout) as object), ['tenantry', 'kubernetes', 'node'])
    assert.match((await cli.run('version')).stdout, /^tenantry \d+\.\d+\.\d+\nKubernetes API v1\.37\.\d+\nNode v2\d\./)
  })
})

suite('with a running up', () => {
  const cli = new Tenantry()
  const dataDir = join(cli.home, 'data')
  let up: ChildProcess

  before(async () => {
    const started = await cli.start(`up --data-dir ${dataDir} --store memory`)
    up = started.child
    assert.match(started.line, /^tenantry is ready: host https:\/\/127\.0\.0\.1:\d+, kubeconfig \S+$/)
  })
  after(async () => {
    if (up.exitCode === null) await end(up, 'SIGKILL')
    cli[Symbol.dispose]()
  })

  test('a second up in the same directory is refused', async () => {
    const { stderr, code } = await cli.run(`up --data-dir ${dataDir}`)
    assert.equal(code, 1)
    assert.match(stderr, /^tenantry: "tenantry up" runs already in /)
  })

  test('an empty list says how to make one', async () => {
    const { stdout, stderr } = await cli.run('list')
    assert.equal(stdout, '')
    assert.match(
      stderr,
      /^host: https:\/\/127\.0\.0\.1:\d+ \(tenantry up, \S+\)\nno virtual clusters; "tenantry create NAME" makes one\n$/,
    )
  })

  test('create waits and says where it answers', async () => {
    const { stdout, stderr, code } = await cli.run('create team-a --weight 3')
    assert.deepEqual([stdout, code], ['team-a\n', 0])
    assert.match(
      stderr,
      /virtual cluster "team-a" created \(\d+ ms\)\nvirtual cluster "team-a" answers at https:\/\/127\.0\.0\.1:\d+ \(\d+ ms\)\n/,
    )
  })

  test('what exists is not made again', async () => {
    const { stderr, code } = await cli.run('create team-a')
    assert.equal(code, 1)
    assert.match(
      stderr,
      /virtual cluster "team-a" exists already in namespace "tenantry"\nUse it with "tenantry connect team-a"/,
    )
  })

  test('a name that cannot be is explained', async () => {
    const { stderr, code } = await cli.run('create Team_A')
    assert.equal(code, 1)
    assert.match(stderr, /cannot create virtual cluster "Team_A": .*metadata\.name: Invalid value: "Team_A"/)
  })

  test('list and status', async () => {
    assert.match(
      (await cli.run('list')).stdout,
      /^NAME +NAMESPACE +PHASE +ENDPOINT +ENGINE +PLACEMENT +AGE\nteam-a +tenantry +Running +https:\/\/127\.0\.0\.1:\d+ +packed +namespaces +\d+s\n$/,
    )
    const [listed] = JSON.parse((await cli.run('list --output json')).stdout) as [
      { name: string; spec: { weight: number }; status: { phase: string } },
    ]
    assert.deepEqual([listed.name, listed.spec.weight, listed.status.phase], ['team-a', 3, 'Running'])
    const status = (await cli.run('status team-a')).stdout
    assert.match(status, /^Name: +team-a$/m)
    assert.match(status, /^Ready +True +Serving +the API server answers at/m)
    assert.match((await cli.run('status team-a --output yaml')).stdout, /^name: team-a\nnamespace: tenantry\n/)
  })

  test('what does not exist has its own exit code', async () => {
    for (const words of ['status nobody', 'delete nobody', 'connect nobody']) {
      const { stderr, code } = await cli.run(words)
      assert.equal(code, 3, words)
      assert.match(stderr, /there is no virtual cluster "nobody" in namespace "tenantry"\nSee "tenantry list"\./)
    }
  })

  test('connect --print writes a kubeconfig', async () => {
    const { stdout } = await cli.run('connect team-a --print')
    assert.match(stdout, /^apiVersion: v1\nkind: Config\n/)
  })

  test('connect merges a context into the user’s kubeconfig', async () => {
    const file = join(cli.home, '.kube', 'config')
    const { stderr, code } = await cli.run('connect team-a')
    assert.equal(code, 0)
    assert.match(stderr, /context "tenantry-team-a" is in \S+ and is the current one/)
    assert.match(readFileSync(file, 'utf8'), /current-context: tenantry-team-a/)
    assert.equal(statSync(file).mode & 0o777, 0o600)
  })

  test('connect runs one command inside', { skip: skipWithout(findKubectl(), 'kubectl') }, async () => {
    const { stdout } = await cli.run(`connect team-a -- ${findKubectl()!} get namespaces -o name`)
    assert.match(stdout, /^namespace\/kube-system$/m)
    assert.equal((await cli.run('connect team-a -- false')).code, 1)
    const missing = await cli.run('connect team-a -- no-such-program')
    assert.deepEqual([missing.code, /there is no program "no-such-program" on PATH/.test(missing.stderr)], [127, true])
  })

  test('a dedicated one is a process of its own', async () => {
    const { code, stderr } = await cli.run('create own --engine dedicated')
    assert.equal(code, 0, stderr)
    const [own] = (
      JSON.parse((await cli.run('list --output json')).stdout) as { name: string; status: { endpoint: string } }[]
    ).filter((c) => c.name === 'own')
    assert.match(own!.status.endpoint, /^https:/)
    assert.equal((await cli.run('delete own')).code, 0)
  })

  test('delete leaves nothing', async () => {
    const { stderr, code } = await cli.run('delete team-a')
    assert.equal(code, 0)
    assert.match(stderr, /virtual cluster "team-a" deleted \(\d+ ms\)/)
    assert.equal((await cli.run('status team-a')).code, 3)
  })

  test('SIGTERM stops it cleanly', async () => {
    assert.equal(await end(up, 'SIGTERM'), 0)
    assert.equal((await cli.run('list')).code, 5)
  })
})
