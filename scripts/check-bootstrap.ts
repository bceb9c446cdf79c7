/**
 * Compares the bootstrap objects with those of a real kube-apiserver that has just been started (without a controller
 * manager), and prints the differences: `node scripts/check-bootstrap.ts --kubeconfig FILE` (arguments go to kubectl;
 * KUBECTL names the program). Exits 1 when there are differences.
 */
import { execFileSync } from 'node:child_process'
import { bootstrapEntries } from '../src/apiserver/bootstrap/entries.ts'
import type { KubeList, KubeObject } from '../src/machinery/object.ts'

const paths: Readonly<Record<string, string>> = {
  'core/namespaces': '/api/v1/namespaces',
  'flowcontrol.apiserver.k8s.io/flowschemas': '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas',
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations':
    '/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations',
  'networking.k8s.io/servicecidrs': '/apis/networking.k8s.io/v1/servicecidrs',
  'rbac.authorization.k8s.io/clusterrolebindings': '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  'rbac.authorization.k8s.io/clusterroles': '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  'rbac.authorization.k8s.io/rolebindings': '/apis/rbac.authorization.k8s.io/v1/rolebindings',
  'rbac.authorization.k8s.io/roles': '/apis/rbac.authorization.k8s.io/v1/roles',
  'scheduling.k8s.io/priorityclasses': '/apis/scheduling.k8s.io/v1/priorityclasses',
}

const identity = { id: 'check', seed: '00', createdAt: 0 }
const ours = new Map(
  bootstrapEntries().map(({ key, render }) => [key, JSON.parse(render(identity).bytes.toString()) as KubeObject]),
)
let differences = 0

for (const [prefix, path] of Object.entries(paths)) {
  const text = execFileSync(process.env['KUBECTL'] ?? 'kubectl', [...process.argv.slice(2), 'get', '--raw', path])
  for (const theirs of (JSON.parse(text.toString()) as KubeList).items) {
    const key = `${prefix}/${theirs.metadata.namespace ?? ''}/${theirs.metadata.name}`
    const mine = ours.get(key)
    ours.delete(key)
    if (mine === undefined) report(`missing: ${key}`)
    else if (comparable(mine) !== comparable(theirs)) {
      report(`different: ${key}\n  ours:   ${comparable(mine)}\n  theirs: ${comparable(theirs)}`)
    }
  }
}
for (const key of ours.keys()) report(`not there: ${key}`)
process.stdout.write(`${differences} differences\n`)
process.exitCode = differences === 0 ? 0 : 1

function report(text: string): void {
  differences++
  process.stdout.write(`${text}\n`)
}

/** Without what differs by server and time. Aggregated rules are a controller's work, which a bare server lacks. */
function comparable(object: KubeObject): string {
  const { kind: _kind, apiVersion: _version, metadata, ...rest } = object
  const { uid: _uid, resourceVersion: _revision, creationTimestamp: _time, managedFields: _fields, ...meta } = metadata
  if (rest['aggregationRule'] !== undefined) delete rest['rules']
  const text = JSON.stringify({ metadata: meta, ...rest })
  return text.replaceAll(/"lastTransitionTime":"[^"]*"/g, '"lastTransitionTime":""')
}
