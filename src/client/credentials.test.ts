import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { after, test } from 'node:test'
import { createCa, issueCertificate, subjectOf } from '../machinery/pki/certificate.ts'
import { Credentials } from './credentials.ts'
import type { ExecPlugin } from './exec-plugin.ts'
import { HttpsClient } from './https.ts'
import { resources } from './resources.ts'

const directory = mkdtempSync(join(tmpdir(), 'credentials-'))
after(() => rmSync(directory, { recursive: true }))
const never = new AbortController().signal
const V1 = 'client.authentication.k8s.io/v1'

/** A program of one line of JavaScript that prints an expression; each run adds a line to `runs`. */
function plugin(expression: string, more: Partial<ExecPlugin> = {}): ExecPlugin & { readonly runs: () => number } {
  const log = join(mkdtempSync(join(directory, 'plugin-')), 'runs')
  const script = `require('fs').appendFileSync(${JSON.stringify(log)}, '.');
    const n = require('fs').readFileSync(${JSON.stringify(log)}, 'utf8').length;
    console.log(JSON.stringify(${expression}))`
  return {
    label: 'the exec plugin of user "u"',
    apiVersion: V1,
    command: process.execPath,
    args: ['-e', script],
    env: {},
    interactiveMode: 'Never',
    ...more,
    runs: () => readFileSync(log, 'utf8').length,
  }
}

const gives = (status: string) => `{kind: 'ExecCredential', apiVersion: '${V1}', status: ${status}}`

test('a token file is read again when it is old, and believed when it is gone', async () => {
  const tokenFile = join(directory, 'token')
  let now = 0
  const credentials = new Credentials({ server: 'https://x', tokenFile }, () => now, never)
  await assert.rejects(async () => credentials.current(), /cannot read the token file/)
  writeFileSync(tokenFile, 'one\n')
  const one = await credentials.current()
  assert.deepEqual(one, { authorization: 'Bearer one' })
  writeFileSync(tokenFile, 'two')
  assert.equal(credentials.current(), one)
  now = 10_000
  assert.deepEqual(await credentials.current(), { authorization: 'Bearer two' })
  rmSync(tokenFile)
  now = 20_000
  assert.deepEqual(await credentials.current(), { authorization: 'Bearer two' })
})

test('a program is asked once for all who wait, and again when its answer expires', async () => {
  const exec = plugin(gives("{token: 't' + n, expirationTimestamp: '1970-01-01T00:00:10Z'}"))
  let now = 0
  const credentials = new Credentials({ server: 'https://x', exec }, () => now, never)
  const both = await Promise.all([credentials.current(), credentials.current()])
  assert.deepEqual(both, [{ authorization: 'Bearer t1' }, { authorization: 'Bearer t1' }])
  now = 9_999
  assert.equal(credentials.current(), both[0])
  assert.equal(exec.runs(), 1)
  now = 10_000
  assert.deepEqual(await credentials.current(), { authorization: 'Bearer t2' })
})

test('a program is told what it is asked for', async () => {
  const cluster = { server: 'https://c' }
  const info = gives('{token: process.env.KUBERNETES_EXEC_INFO + process.env.OWN}')
  const exec = plugin(info, { cluster, env: { OWN: '!' } })
  const { authorization } = await new Credentials({ server: 'https://x', exec }, () => 0, never).current()
  const spec = { cluster, interactive: false }
  assert.equal(authorization, `Bearer ${JSON.stringify({ kind: 'ExecCredential', apiVersion: V1, spec })}!`)
})

test('what a program does wrong is said, with its user', async () => {
  const fails = async (why: RegExp, exec: ExecPlugin) => {
    const credentials = new Credentials({ server: 'https://x', exec }, () => 0, never)
    await assert.rejects(async () => credentials.current(), (error: Error) => {
      assert.match(error.message, /^the exec plugin of user "u"/)
      assert.match(error.message, why)
      return true
    }) // prettier-ignore
  }
  await fails(/is no ExecCredential of client.authentication.k8s.io\/v1$/, plugin('{}'))
  await fails(/has no status/, plugin(gives('undefined')))
  await fails(/neither a token nor a certificate/, plugin(gives('{}')))
  await fails(/only one of certificate and key/, plugin(gives("{clientKeyData: 'k'}")))
  await fails(/is no time/, plugin(gives("{token: 't', expirationTimestamp: 'soon'}")))
  await fails(/ended with 3/, plugin('process.exit(3)'))
  await fails(/printed more than/, plugin("'x'.repeat(3e6)"))
  await fails(/is no JSON/, { ...plugin(''), args: ['-e', 'console.log("{")'] })
  await fails(/ENOENT\nask somebody/, { ...plugin(''), command: join(directory, 'none'), installHint: 'ask somebody' })
  if (!process.stdin.isTTY) await fails(/must be interactive/, plugin('', { interactiveMode: 'Always' }))
})

test('after a 401 a program is asked again, and a new certificate gets connections of its own', async (t) => {
  const now = Date.now()
  const ca = createCa({ commonName: 'ca', now })
  const mine = issueCertificate(ca, { commonName: 'server', usage: 'server', ips: ['127.0.0.1'], now })
  for (const name of ['one', 'two']) {
    const { certificate, key } = issueCertificate(ca, { commonName: name, usage: 'client', now })
    const status = { clientCertificateData: certificate, clientKeyData: key }
    writeFileSync(join(directory, `${name}.json`), JSON.stringify(status))
  }
  const names: string[] = []
  const server = createServer(
    { cert: mine.certificate, key: mine.key, ca: ca.certificate, requestCert: true },
    (request, response) => {
      const { commonName } = subjectOf((request.socket as TLSSocket).getPeerX509Certificate()!.raw)
      names.push(commonName)
      response.writeHead(commonName === 'one' ? 401 : 200).end(JSON.stringify({ metadata: { name: commonName } }))
    },
  )
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  const status = `JSON.parse(require('fs').readFileSync(${JSON.stringify(directory)} + (n === 1 ? '/one' : '/two') + '.json'))`
  const exec = plugin(gives(status))
  const client = new HttpsClient({ server: `https://127.0.0.1:${port}`, ca: ca.certificate, exec })
  t.after(async () => {
    await client.close()
    server.closeAllConnections()
    server.close()
  })
  assert.equal((await client.get(resources.nodes, 'me')).metadata.name, 'two')
  assert.deepEqual(names, ['one', 'two'])
  await client.get(resources.nodes, 'me')
  assert.equal(exec.runs(), 2)
})
