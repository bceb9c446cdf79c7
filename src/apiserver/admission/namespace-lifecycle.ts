/** NamespaceLifecycle: nothing is made in a namespace that is missing or ending; three namespaces stay. */
import { errors } from '../../machinery/status.ts'
import type { AdmissionPlugin, AdmissionRequest } from './contract.ts'
import { refusal } from './refusal.ts'

const IMMORTAL: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public'])

export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  handles: (operation, info) =>
    info.resource === 'namespaces' && info.group === ''
      ? operation === 'DELETE'
      : info.namespaced && (operation === 'CREATE' || operation === 'UPDATE') && info.group !== 'authorization.k8s.io',
  mutate: check,
}

function check(request: AdmissionRequest): void {
  if (request.operation === 'DELETE') {
    if (IMMORTAL.has(request.name)) throw refusal(request, 'this namespace may not be deleted')
    return
  }
  const { namespace } = request
  const found = request.state.find('', 'namespaces', '', namespace)
  if (found === undefined) throw errors.notFound({ group: '', resource: 'namespaces' }, namespace)
  if (request.operation !== 'CREATE') return
  if (found['status']?.phase !== 'Terminating' && found.metadata.deletionTimestamp === undefined) return
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`
  const message = `namespace ${namespace} is being terminated`
  throw refusal(request, why, [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }])
}
