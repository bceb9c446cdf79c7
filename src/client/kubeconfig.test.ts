import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, lstatSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { load } from 'js-yaml'
import {
  formatKubeconfig,
  KubeconfigError,
  loadKubeconfig,
  mergeContext,
  parseKubeconfig,
  removeContext,
} from './kubeconfig.ts'

const directory = mkdtempSync(join(tmpdir(), 'kubeconfig-'))
after(() => rmSync(directory, { recursive: true }))
const file = (name: string, text: string) => {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}

const two = `
apiVersion: v1
kind: Config
preferences: {colors: true}
current-context: one
clusters:
- name: c1
  cluster: {server: 'https://one:6443', certificate-authority: ca.pem, tls-server-name: api}
- name: c2
  cluster: {server: 'https://two:6443/k8s', insecure-skip-tls-verify: true}
users:
- name: u1
  user: {client-certificate-data: ${btoa('cert')}, client-key-data: ${btoa('key')}}
- name: u2
  user: {tokenFile: token}
- name: cloud
  user: {exec: {command: aws, apiVersion: x}}
contexts:
- name: one
  context: {cluster: c1, user: u1, namespace: dev}
- name: two
  context: {cluster: c2, user: u2}
- name: cloud
  context: {cluster: c2, user: cloud}
- name: nowhere
  context: {cluster: gone, user: u1}
`

test('contexts with inline data and files', async () => {
  file('ca.pem', 'the ca')
  const path = file('two', two)
  assert.deepEqual(await loadKubeconfig({ path }), {
    server: 'https://one:6443',
    ca: 'the ca',
    tlsServerName: 'api',
    clientCertificate: 'cert',
    clientKey: 'key',
    namespace: 'dev',
  })
  assert.deepEqual(await loadKubeconfig({ path, context: 'two' }), {
    server: 'https://two:6443/k8s',
    insecureSkipTlsVerify: true,
    tokenFile: join(directory, 'token'),
  })
})

test('what cannot be used is said', async () => {
  const path = file('two', two)
  const refused = (context: string, why: RegExp) =>
    assert.rejects(
      loadKubeconfig({ path, context }),
      (error) => error instanceof KubeconfigError && why.test(error.message),
    )
  await refused('cloud', /the exec plugin of user "cloud": apiVersion "x" is not one of/)
  await refused('nowhere', /cluster "gone" does not exist/)
  await refused('none', /context "none" does not exist/)
  assert.throws(() => parseKubeconfig('a: [b'), /is no YAML/)
  assert.throws(() => parseKubeconfig('[]'), /is no kubeconfig/)
  assert.throws(() => parseKubeconfig('clusters: 5'), /must be lists/)
  assert.throws(() => parseKubeconfig(''), /no current context/)
  await assert.rejects(loadKubeconfig({ path: join(directory, 'missing') }), /cannot read .*missing/)
  await assert.rejects(loadKubeconfig({ env: { HOME: directory } }), /there is no kubeconfig/)
})

test('what would make somebody else of the user is refused', () => {
  const text = (user: string, cluster = '') => `
clusters: [{name: c, cluster: {server: 'https://c'${cluster}}}]
users: [{name: u, user: ${user}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`
  const refused = (why: RegExp, ...args: Parameters<typeof text>) =>
    assert.throws(() => parseKubeconfig(text(...args)), why)
  refused(/user "u" acts as another user/, '{token: t, as: root}')
  refused(/user "u" uses an auth-provider/, '{auth-provider: {name: gcp}}')
  refused(/user "u" reaches its cluster by a proxy/, '{token: t}', ', proxy-url: "http://p"')
  refused(/the exec plugin of user "u" has no command/, '{exec: {apiVersion: client.authentication.k8s.io/v1}}')
  refused(
    /the exec plugin of user "u": interactiveMode must be/,
    '{exec: {apiVersion: client.authentication.k8s.io/v1, command: a}}',
  )
})

test('a program that gives credentials', async () => {
  const path = file(
    'exec',
    `
clusters:
- name: c
  cluster:
    server: https://c
    certificate-authority-data: ${btoa('ca')}
    extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: me}}]
users:
- name: u
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: bin/login
      args: [--to, c]
      env: [{name: A, value: b}]
      provideClusterInfo: true
      installHint: ask somebody
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`,
  )
  assert.deepEqual((await loadKubeconfig({ path })).exec, {
    label: 'the exec plugin of user "u"',
    apiVersion: 'client.authentication.k8s.io/v1beta1',
    command: join(directory, 'bin/login'),
    args: ['--to', 'c'],
    env: { A: 'b' },
    interactiveMode: 'IfAvailable',
    installHint: 'ask somebody',
    cluster: { server: 'https://c', 'certificate-authority-data': btoa('ca'), config: { audience: 'me' } },
  })
  await assert.rejects(mergeContext(join(directory, 'never'), 'x', readFileSync(path, 'utf8')), /cannot be merged/)
})

test('KUBECONFIG may list files; the first that says something counts', async () => {
  const first = file('first', 'current-context: two\nusers:\n- name: u2\n  user: {token: t}\n')
  const env = { KUBECONFIG: [join(directory, 'missing'), first, file('two', two)].join(delimiter) }
  assert.deepEqual(await loadKubeconfig({ env }), {
    server: 'https://two:6443/k8s',
    insecureSkipTlsVerify: true,
    token: 't',
  })
})

test('what is written is what is read', () => {
  const connection = { server: 'https://x:1', ca: 'ca', clientCertificate: 'c', clientKey: 'k', namespace: 'n' }
  assert.deepEqual(parseKubeconfig(formatKubeconfig('me', connection)), connection)
})

test('a context is merged, replaced and removed; the rest stays', async () => {
  const path = file('mine', two)
  const text = (server: string) => formatKubeconfig('other', { server, token: 't' })
  await mergeContext(path, 'new', text('https://three'))
  await mergeContext(path, 'new', text('https://four'))
  assert.deepEqual(await loadKubeconfig({ path }), { server: 'https://four', token: 't' })
  assert.equal((await loadKubeconfig({ path, context: 'one' })).server, 'https://one:6443')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const config = load(readFileSync(path, 'utf8')) as { preferences: unknown; contexts: unknown[] }
  assert.deepEqual(config.preferences, { colors: true })
  assert.equal(config.contexts.length, 5)
  await removeContext(path, 'new')
  await assert.rejects(loadKubeconfig({ path, context: 'new' }), /does not exist/)
  assert.equal((await loadKubeconfig({ path, context: 'one' })).server, 'https://one:6443')
})

test('a file that is not there is made, a link stays a link', async () => {
  const fresh = join(directory, 'new', 'config')
  await mergeContext(fresh, 'a', formatKubeconfig('x', { server: 'https://a', token: 't' }))
  assert.equal((await loadKubeconfig({ path: fresh })).server, 'https://a')
  assert.equal(statSync(fresh).mode & 0o777, 0o600)
  mkdirSync(join(directory, 'links'))
  const link = join(directory, 'links', 'config')
  symlinkSync(fresh, link)
  await mergeContext(link, 'b', formatKubeconfig('x', { server: 'https://b', token: 't' }))
  assert.ok(lstatSync(link).isSymbolicLink())
  assert.equal((await loadKubeconfig({ path: fresh })).server, 'https://b')
})

test('many at once lose nothing', async () => {
  const path = join(directory, 'many')
  const names = Array.from({ length: 8 }, (_, i) => `c${i}`)
  await Promise.all(
    names.map((name) => mergeContext(path, name, formatKubeconfig('x', { server: `https://${name}`, token: 't' }))),
  )
  for (const name of names) {
    assert.equal((await loadKubeconfig({ path, context: name })).server, `https://${name}`)
  }
})
