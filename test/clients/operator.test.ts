/**
 * An operator of controller-runtime with definition, webhooks and conversion, that envtest puts into a running cluster:
 * test/clients/operator. The real control plane is the control.
 */
import { test } from 'node:test'
import { findControlPlane, skipWithout } from '../support/kubernetes.ts'
import { goProgram } from '../support/programs.ts'
import { checks } from './checks.ts'
import { embeddedServer, realServer } from './servers.ts'

const program = goProgram('operator')
const skip = skipWithout(program, 'test/clients/operator')

test('an operator on the embedded server', { skip }, async () => {
  await using server = await embeddedServer('--nodes 0')
  await checks(server, program!)
})

test('an operator on kube-apiserver', { skip: skip || skipWithout(findControlPlane(), 'kube-apiserver') }, async () => {
  await using server = await realServer()
  await checks(server, program!)
})
