/**
 * Everything that controllers use of client-go, against the embedded server: test/clients/client-go says what. The real
 * kube-apiserver is the control: what it does not pass is not Kubernetes.
 */
import { test } from 'node:test'
import { findControlPlane, skipWithout } from '../support/kubernetes.ts'
import { goProgram } from '../support/programs.ts'
import { checks } from './checks.ts'
import { embeddedServer, realServer } from './servers.ts'

const program = goProgram('client-go')
/** A pattern of names, to run a few of them by hand. */
const words = ['-run', process.env['TENANTRY_CHECKS'] ?? '.']

const skip = skipWithout(program, 'test/clients/client-go')

test('client-go on the embedded server', { skip }, async () => {
  await using server = await embeddedServer('--nodes 0')
  await checks(server, program!, words)
})

test('client-go on kube-apiserver', { skip: skip || skipWithout(findControlPlane(), 'kube-apiserver') }, async () => {
  await using server = await realServer()
  await checks(server, program!, words)
})
