import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../../machinery/status.ts'
import type { Attributes } from '../contract.ts'
import { podCertificateSigning } from './certificates.ts'
import type { AdmissionRequest } from './contract.ts'

test('whoever changes the status of a pod certificate request must be allowed to sign', () => {
  const info = { group: 'certificates.k8s.io', resource: 'podcertificaterequests', kind: 'PodCertificateRequest' }
  const old = { metadata: { name: 'r' }, spec: { signerName: 'example.com/pods' }, status: {} }
  const refused = (status: object, ...allowed: string[]): string | undefined => {
    const authorize = ({ verb, resource, name }: Attributes) => ({
      allowed: allowed.includes(`${verb} ${resource} ${name}`),
      reason: '',
    })
    const user = { name: 'node', groups: [] }
    const request = { object: { ...old, status }, old, call: { user }, name: 'r', resource: { info }, state: { authorizer: { authorize } } } // prettier-ignore
    try {
      void podCertificateSigning.validate!(request as unknown as AdmissionRequest)
      return undefined
    } catch (error) {
      assert.ok(error instanceof StatusError)
      return `${error.status.code} ${error.status.details?.causes?.[0]?.field}: ${error.status.message}`
    }
  }
  const issued = { certificateChain: 'x' }
  assert.equal(refused({}), undefined)
  assert.equal(refused(issued, 'sign signers example.com/pods'), undefined)
  assert.equal(refused(issued, 'sign signers example.com/*'), undefined)
  assert.equal(
    refused(issued, 'approve signers example.com/pods', 'sign signers example.com/other'),
    '422 spec.signerName: PodCertificateRequest.certificates.k8s.io "r" is invalid: spec.signerName: Forbidden: User "node" is not permitted to "sign" for signer "example.com/pods"',
  )
})
