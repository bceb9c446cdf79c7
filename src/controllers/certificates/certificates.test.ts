import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { createCa } from '../../machinery/pki/certificate.ts'
import { requestOf } from '../../machinery/pki/request.fixture.ts'
import { StatusError } from '../../machinery/status.ts'
import { loopCluster, type LoopCluster } from '../fixture.ts'
import { workloads } from '../resources.ts'
import { certificateCleaner, goesIn } from './cleaner.ts'
import { certificateSigner } from './signer.ts'
import type { SigningRequest } from './signers.ts'

const ca = createCa({ commonName: 'test', now: Date.now() })
const started = (): Promise<LoopCluster> => loopCluster([certificateSigner({ ca }), certificateCleaner])
const CLIENT = 'kubernetes.io/kube-apiserver-client'

async function ask(
  cluster: LoopCluster,
  name: string,
  signerName: string,
  usages: string[],
  subject: Parameters<typeof requestOf>[0],
  more: object = {},
): Promise<void> {
  const request = Buffer.from(requestOf(subject).request).toString('base64')
  await cluster.create(workloads.certificatesigningrequests, {
    metadata: { name },
    spec: { request, signerName, usages, ...more },
  })
}

const find = async (cluster: LoopCluster, name: string): Promise<SigningRequest> =>
  (await cluster.find(workloads.certificatesigningrequests, '', name)) as SigningRequest

async function approve(cluster: LoopCluster, name: string): Promise<void> {
  const csr = await find(cluster, name)
  const condition = { type: 'Approved', status: 'True', reason: 'Test', message: 'yes' }
  const approved = { ...csr, status: { ...csr.status, conditions: [condition] } }
  await cluster.client.update(workloads.certificatesigningrequests, approved, { subresource: 'approval' })
}

test('an approved request becomes a certificate of the cluster, for as long as it asks', async () => {
  await using cluster = await started()
  const usages = ['digital signature', 'key encipherment', 'client auth']
  await ask(
    cluster,
    'me',
    CLIENT,
    usages,
    { commonName: 'jane', organizations: ['dev', 'ops'] },
    { expirationSeconds: 3600 },
  )
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal((await find(cluster, 'me')).status?.certificate, undefined)
  await approve(cluster, 'me')
  const text = await cluster.until('the certificate', async () => (await find(cluster, 'me')).status?.certificate)
  const certificate = new X509Certificate(Buffer.from(text, 'base64'))
  assert.equal(certificate.verify(new X509Certificate(ca.certificate).publicKey), true)
  assert.equal(certificate.subject, 'O=dev\nO=ops\nCN=jane')
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2'])
  assert.equal(certificate.ca, false)
  const hour = Date.parse(certificate.validTo) - Date.now()
  assert.ok(hour > 3_500_000 && hour <= 3_600_000)
  assert.deepEqual(cluster.complaints, [])
})

test('kubelets get theirs by their own rules; what breaks them has failed, and others are left alone', async () => {
  await using cluster = await started()
  const node = { commonName: 'system:node:a', organizations: ['system:nodes'] }
  const serving = 'kubernetes.io/kubelet-serving'
  await ask(cluster, 'serving', serving, ['digital signature', 'server auth'], {
    ...node,
    dns: ['a'],
    ips: ['10.0.0.1'],
  })
  await ask(cluster, 'nameless', serving, ['digital signature', 'server auth'], node)
  await ask(cluster, 'stranger', `${CLIENT}-kubelet`, ['digital signature', 'client auth'], { commonName: 'x' })
  await ask(cluster, 'usages', `${CLIENT}-kubelet`, ['client auth'], node)
  await ask(cluster, 'other', 'example.com/signer', ['client auth'], node)
  await ask(cluster, 'wrong', CLIENT, ['server auth'], node)
  for (const name of ['serving', 'nameless', 'stranger', 'usages', 'other', 'wrong']) await approve(cluster, name)
  const made = await cluster.until('the certificate', async () => (await find(cluster, 'serving')).status?.certificate)
  assert.equal(new X509Certificate(Buffer.from(made, 'base64')).subjectAltName, 'DNS:a, IP Address:10.0.0.1')
  const reason = (name: string): Promise<string> =>
    cluster.until(`${name} to fail`, async () => {
      const failed = (await find(cluster, name)).status?.conditions?.find(({ type }) => type === 'Failed')
      return failed && `${failed.reason}: ${failed.message}`
    })
  assert.equal(await reason('nameless'), 'SignerValidationFailure: DNS or IP subjectAltName is required')
  assert.equal(await reason('stranger'), 'SignerValidationFailure: subject organization is not system:nodes')
  assert.equal(
    await reason('usages'),
    'SignerValidationFailure: usages did not match [client auth digital signature key encipherment]',
  )
  for (const name of ['other', 'wrong']) {
    const { status } = await find(cluster, name)
    assert.deepEqual([status?.certificate, status?.conditions?.length], [undefined, 1])
  }
})

test('a request that is none is refused', async () => {
  await using cluster = await started()
  const create = async (request: string): Promise<string> => {
    try {
      const spec = { request: Buffer.from(request).toString('base64'), signerName: CLIENT, usages: ['client auth'] }
      await cluster.create(workloads.certificatesigningrequests, { metadata: { name: 'bad' }, spec })
      return 'made'
    } catch (error) {
      if (error instanceof StatusError) return error.message
      throw error
    }
  }
  assert.match(await create('hello'), /PEM block type must be CERTIFICATE REQUEST$/)
  const { request } = requestOf({ commonName: 'a' })
  const der = Buffer.from(request.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64')
  der[der.length - 5]! ^= 1
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
  assert.match(await create(forged), /signature of the request is wrong$|cannot be read$/)
})

test('requests go: answered ones after an hour, unanswered ones after a day', () => {
  const now = Date.parse('2026-01-02T00:00:00Z')
  const csr = (...conditions: { type: string; lastUpdateTime?: string }[]): SigningRequest => ({
    metadata: { name: 'c', creationTimestamp: '2026-01-01T12:00:00Z' },
    spec: { request: '', signerName: CLIENT },
    status: { conditions: conditions.map((one) => ({ status: 'True', ...one })) },
  })
  assert.equal(goesIn(csr(), now), 12 * 3_600_000)
  assert.equal(goesIn(csr({ type: 'Denied', lastUpdateTime: '2026-01-01T23:30:00Z' }), now), 1_800_000)
  assert.equal(goesIn(csr({ type: 'Failed', lastUpdateTime: '2026-01-01T22:30:00Z' }), now), 0)
})
