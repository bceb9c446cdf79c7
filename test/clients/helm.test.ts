/** helm 3 and helm 4, with a chart that uses what charts use, on the embedded cluster with simulated nodes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { HttpsClient } from '../../src/client/https.ts'
import { parseKubeconfig } from '../../src/client/kubeconfig.ts'
import { resources } from '../../src/client/resources.ts'
import type { KubeObject } from '../../src/machinery/object.ts'
import { isReason } from '../../src/machinery/status.ts'
import type { Ran } from '../support/kubectl.ts'
import { findControlPlane, skipWithout } from '../support/kubernetes.ts'
import { goProgram } from '../support/programs.ts'
import { embeddedServer, realServerWithNodes, type Server } from './servers.ts'

const CHART = join(import.meta.dirname, 'charts/shop')
const NS = 'shop'
const BASKETS = { group: 'shop.example.com', version: 'v1', resource: 'baskets', kind: 'Basket', namespaced: true }
const JOBS = { group: 'batch', version: 'v1', resource: 'jobs', kind: 'Job', namespaced: true }

interface Major {
  readonly program: 'helm3' | 'helm4'
  /** Words of an upgrade that takes a failure back. */
  readonly atomic: string
  readonly waitForAll: string
  /** How helm writes objects. */
  readonly operation: 'Apply' | 'Update'
}

const majors: readonly Major[] = [
  { program: 'helm3', atomic: '--atomic', waitForAll: '--wait --wait-for-jobs', operation: 'Update' },
  {
    program: 'helm4',
    atomic: '--rollback-on-failure --wait=watcher',
    waitForAll: '--wait=watcher --wait-for-jobs',
    operation: 'Apply',
  },
]

for (const major of majors) {
  const program = goProgram(major.program)
  const skip = skipWithout(program, major.program)
  describe(`${major.program} on the embedded server`, { skip }, () =>
    suite(program!, major, () => embeddedServer('--store memory')),
  )
}

const control = goProgram('helm4')
const skip = skipWithout(control, 'helm4') || skipWithout(findControlPlane(), 'a control plane')
describe('helm4 on kube-apiserver', { skip }, () => suite(control!, majors[1]!, realServerWithNodes))

function suite(program: string, major: Major, start: () => Promise<Server>): void {
  let server: Server
  let client: HttpsClient
  const at = { namespace: NS }

  const attempt = async (words: string): Promise<Ran> => {
    const child = spawn(program, [...words.split(' '), '--namespace', NS], {
      cwd: server.dir,
      env: { PATH: process.env['PATH'], HOME: server.dir, KUBECONFIG: server.kubeconfig },
      timeout: 120_000,
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (piece: Buffer) => (stdout += piece.toString()))
    child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()))
    const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? -1)))
    return { stdout, stderr, code }
  }
  const helm = async (words: string): Promise<string> => {
    const { stdout, stderr, code } = await attempt(words)
    assert.equal(code, 0, `helm ${words}\n${stdout}${stderr}`)
    return stdout
  }
  const history = async () =>
    JSON.parse(await helm('history web --output json')) as { revision: number; status: string }[]
  const deployment = () => client.get(resources.deployments, 'web', at)
  const statuses = async () => (await history()).map(({ revision, status }) => `${revision} ${status}`)
  const exists = (get: Promise<KubeObject>) =>
    get.then(
      () => true,
      (error: unknown) => {
        if (isReason(error, 'NotFound')) return false
        throw error
      },
    )

  before(async () => {
    server = await start()
    client = new HttpsClient(parseKubeconfig(readFileSync(server.kubeconfig, 'utf8')))
  })

  after(async () => {
    await client?.close()
    await server?.[Symbol.asyncDispose]()
  })

  it('install waits for hooks, custom resources and pods', async () => {
    const out = await helm(`install web ${CHART} --create-namespace ${major.waitForAll} --timeout 60s`)
    assert.match(out, /STATUS: deployed\n/)
    assert.match(out, /web runs 2 times\./)
    const { status, metadata } = await deployment()
    assert.equal(status.readyReplicas, 2)
    const managers = metadata.managedFields as { manager: string; operation: string }[]
    const manager = managers.find((entry) => entry.manager.startsWith('helm'))
    assert.equal(manager?.operation, major.operation)
    assert.equal((await client.get(BASKETS, 'web', at))['spec'].colour, 'brown')
    assert.equal((await client.get(JOBS, 'web-pre-install', at))['status'].succeeded, 1)
    assert.equal(await exists(client.get(JOBS, 'web-post-install', at)), false)
    const first = await client.get(resources.configmaps, 'web-first', at)
    const { data, metadata: made } = await client.get(resources.configmaps, 'web', at)
    assert.ok(first.metadata.creationTimestamp! <= made.creationTimestamp!)
    assert.match(data.version as string, /^v1\.37\./)
    assert.equal(data.policy, 'true')
    assert.equal(data.found, '{}')
    assert.equal(data.namespaces, '4')
  })

  it('tests run, with their logs', async () => {
    // Simulated nodes that are joined from outside have no logs.
    const logs = server.hasLogs ? '--logs ' : ''
    const out = await helm(`test web ${logs}--timeout 30s`)
    assert.match(out, /Phase: +Succeeded/)
    if (server.hasLogs) assert.match(out, /it works/)
  })

  it('status, values, manifest, list', async () => {
    assert.match(await helm('status web'), /STATUS: deployed/)
    assert.match(await helm('get manifest web'), /kind: Basket/)
    assert.match(await helm('get hooks web'), /helm\.sh\/hook: pre-upgrade/)
    const list = JSON.parse(await helm('list --output json')) as { name: string; revision: string }[]
    assert.deepEqual(
      list.map(({ name, revision }) => `${name} ${revision}`),
      ['web 1'],
    )
  })

  it('upgrade changes what changed', async () => {
    const before = await deployment()
    await helm(`upgrade web ${CHART} --set replicas=3 ${major.waitForAll} --timeout 60s`)
    const now = await deployment()
    assert.equal(now.metadata.uid, before.metadata.uid)
    assert.deepEqual([now['spec'].replicas, now['status'].readyReplicas], [3, 3])
    assert.equal((await client.get(BASKETS, 'web', at))['spec'].size, 3)
    assert.match(await helm('get values web'), /replicas: 3/)
    assert.deepEqual(await statuses(), ['1 superseded', '2 deployed'])
  })

  it('what somebody else changed is kept or put right, as the chart says', async () => {
    await client.patch(
      resources.deployments,
      'web',
      { type: 'merge', body: { metadata: { annotations: { mine: 'yes' } } } },
      at,
    )
    await helm(`upgrade web ${CHART} --reuse-values --set message=again ${major.waitForAll} --timeout 60s`)
    const now = await deployment()
    assert.equal(now.metadata.annotations?.['mine'], 'yes')
    assert.equal(now['spec'].template.metadata.annotations.message, 'again')
    assert.equal(now['spec'].replicas, 3)
  })

  it('an upgrade that fails is taken back', async () => {
    const failed = await attempt(`upgrade web ${CHART} --set broken=true ${major.atomic} --timeout 6s`)
    assert.notEqual(failed.code, 0)
    assert.match(failed.stderr, /has been rolled back due to .*(atomic|rollback-on-failure)/)
    assert.deepEqual((await statuses()).slice(-2), ['4 failed', '5 deployed'])
    const now = await deployment()
    assert.equal(now['spec'].template.metadata.annotations['simulated.tenantry.dev/image-pull-error'], 'false')
    assert.equal(now['status'].readyReplicas, 3)
  })

  it('a hook that fails stops the upgrade', async () => {
    const failed = await attempt(`upgrade web ${CHART} --reuse-values --set brokenHook=true --timeout 30s`)
    assert.notEqual(failed.code, 0)
    assert.match(failed.stderr, /pre-upgrade hooks failed/)
    assert.equal((await statuses()).at(-1), '6 failed')
    assert.equal((await client.get(resources.configmaps, 'web', at))['data'].revision, '3')
  })

  it('rollback', async () => {
    await helm('rollback web 1 --wait --timeout 60s')
    const now = await deployment()
    assert.deepEqual([now['spec'].replicas, now['status'].readyReplicas], [2, 2])
    assert.equal((await statuses()).at(-1), '7 deployed')
  })

  it('a dry run asks the server and looks things up, and writes nothing', async () => {
    await client.create(resources.configmaps, configMap('outside', { key: 'value' }), at)
    const before = await deployment()
    const out = await helm(`upgrade web ${CHART} --set replicas=9 --dry-run=server`)
    assert.match(out, /found: "\{\\"key\\":\\"value\\"\}"/)
    assert.match(out, /replicas: 9/)
    // Controllers may have written its status meanwhile.
    const after = await deployment()
    assert.deepEqual([after.metadata.generation, after['spec']], [before.metadata.generation, before['spec']])
    assert.equal((await statuses()).at(-1), '7 deployed')
  })

  it('what the server refuses is told', async () => {
    const refused = await attempt(`upgrade web ${CHART} --set replicas=0`)
    assert.notEqual(refused.code, 0)
    assert.match(
      refused.stderr,
      /spec\.size: Invalid value: 0: spec\.size in body should be greater than or equal to 1/,
    )
    const chart = join(server.dir, 'wrong')
    cpSync(CHART, chart, { recursive: true })
    mkdirSync(join(chart, 'templates'), { recursive: true })
    writeFileSync(
      join(chart, 'templates/wrong.yaml'),
      'apiVersion: v1\nkind: Service\nmetadata: {name: wrong}\nspec: {portz: []}\n',
    )
    const unknown = await attempt(`upgrade web ${chart}`)
    assert.notEqual(unknown.code, 0)
    assert.match(
      unknown.stderr,
      major.operation === 'Apply' ? /\.spec\.portz: field not declared in schema/ : /unknown field \\?"spec\.portz/,
    )
  })

  it('what is not its own is left alone', async () => {
    await client.create(resources.configmaps, configMap('other', {}), at)
    const refused = await attempt(`install other ${CHART} --skip-crds --no-hooks`)
    assert.notEqual(refused.code, 0)
    assert.match(refused.stderr, /invalid ownership metadata/)
  })

  it('uninstall leaves nothing but the definitions', async () => {
    await helm('uninstall web --wait --timeout 60s')
    const left = async (resource: (typeof resources)[keyof typeof resources] | typeof BASKETS) =>
      (await client.list(resource, at)).items
        .map(({ metadata }) => metadata.name!)
        .filter((name) => name.startsWith('web'))
    assert.deepEqual(await left(resources.deployments), [])
    assert.deepEqual(await left(resources.services), [])
    assert.deepEqual(await left(BASKETS), [])
    assert.deepEqual((await client.list(resources.secrets, { ...at, labelSelector: 'owner=helm,name=web' })).items, [])
    assert.equal(await exists(client.get(resources.customresourcedefinitions, 'baskets.shop.example.com')), true)
  })
}

function configMap(name: string, data: object): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }
}
