import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import fc from 'fast-check'
import { createCa, derOf, issueCertificate, loadCa, spkiHash, subjectOf } from './certificate.ts'

const now = Date.UTC(2026, 0, 1)
const ca = createCa({ commonName: 'tenantry-ca', now: Date.now() })

test('Node reads what was written', () => {
  const server = issueCertificate(ca, {
    commonName: 'kube-apiserver',
    usage: 'server',
    dns: ['localhost', 'kubernetes.default.svc'],
    ips: ['127.0.0.1', 'fd00::1'],
    now: Date.now(),
  })
  const certificate = new X509Certificate(server.certificate)
  assert.ok(certificate.verify(new X509Certificate(ca.certificate).publicKey))
  assert.equal(certificate.checkHost('localhost'), 'localhost')
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1')
  assert.equal(certificate.checkIP('fd00::1'), 'fd00::1')
  assert.equal(certificate.checkIP('127.0.0.2'), undefined)
  assert.ok(certificate.checkIssued(new X509Certificate(ca.certificate)))
})

test('a subject is read attribute by attribute', () => {
  for (const subject of [
    { commonName: 'ann', organizations: ['dev', 'system:masters'] },
    { commonName: 'x\nO=system:masters', organizations: [] },
    { commonName: 'a/O=b, O=c + CN=d', organizations: ['ü\u0000'] },
  ]) {
    const client = issueCertificate(ca, { ...subject, usage: 'client', now })
    assert.deepEqual(subjectOf(derOf(client.certificate)), { ...subject, uid: '' })
  }
})

test('a loaded CA signs like the one that was made', () => {
  const again = loadCa({ certificate: ca.certificate, key: ca.key })
  const leaf = new X509Certificate(issueCertificate(again, { commonName: 'x', usage: 'client', now }).certificate)
  assert.ok(leaf.verify(new X509Certificate(ca.certificate).publicKey))
  assert.equal(spkiHash(derOf(again.certificate)), spkiHash(derOf(ca.certificate)))
})

test('years after 2049 are written as they must be', () => {
  const late = new X509Certificate(
    issueCertificate(ca, { commonName: 'x', usage: 'client', now: Date.UTC(2049, 11, 1), days: 365 }).certificate,
  )
  assert.match(late.validFrom, /2049/)
  assert.match(late.validTo, /2050/)
})

test(
  'openssl accepts the chain strictly',
  { skip: spawnSync('openssl', ['version']).status !== 0 && 'no openssl on PATH' },
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'tenantry-pki-'))
    try {
      const server = issueCertificate(ca, { commonName: 'x', usage: 'server', dns: ['localhost'], now: Date.now() })
      writeFileSync(join(dir, 'ca'), ca.certificate)
      writeFileSync(join(dir, 'leaf'), server.certificate)
      const ran = spawnSync(
        'openssl',
        ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', join(dir, 'ca'), join(dir, 'leaf')],
        { encoding: 'utf8' },
      )
      assert.equal(ran.status, 0, ran.stderr)
    } finally {
      rmSync(dir, { recursive: true })
    }
  },
)

test('a subject comes back exactly, whatever it contains', () => {
  const text = fc.string({ unit: 'grapheme' })
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 4 }), (commonName, organizations) => {
      const { certificate } = issueCertificate(ca, { commonName, organizations, usage: 'client', now })
      assert.deepEqual(subjectOf(derOf(certificate)), { commonName, organizations, uid: '' })
    }),
    { numRuns: 30 },
  )
})

test('names that a certificate cannot carry, and bytes that are no name, are refused', () => {
  const server = { commonName: 'x', usage: 'server', now } as const
  assert.throws(() => issueCertificate(ca, { ...server, dns: ['bad name'] }), RangeError)
  assert.throws(() => issueCertificate(ca, { ...server, ips: ['300.1.1.1'] }), RangeError)
  const der = derOf(issueCertificate(ca, { commonName: 'plain-name', usage: 'client', now }).certificate)
  der[der.lastIndexOf('plain-name')] = 0xff
  assert.throws(() => subjectOf(der), RangeError)
  assert.throws(() => subjectOf(Buffer.from('nonsense')), RangeError)
})

test('a TLS connection with certificates on both sides', async () => {
  const mine = issueCertificate(ca, { commonName: 's', usage: 'server', ips: ['127.0.0.1'], now: Date.now() })
  const who = { commonName: 'admin', organizations: ['system:masters', 'ops'] }
  const yours = issueCertificate(ca, { ...who, usage: 'client', now: Date.now() })
  const seen = Promise.withResolvers<unknown>()
  const listener = createServer(
    { cert: mine.certificate, key: mine.key, ca: ca.certificate, requestCert: true, rejectUnauthorized: true },
    (socket) => {
      seen.resolve(subjectOf(socket.getPeerX509Certificate()!.raw))
      socket.end()
    },
  )
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done))
  const { port } = listener.address() as { port: number }
  const socket = connect({ port, host: '127.0.0.1', ca: ca.certificate, cert: yours.certificate, key: yours.key })
  socket.on('error', seen.reject)
  assert.deepEqual(await seen.promise, { ...who, uid: '' })
  socket.destroy()
  listener.close()
})
