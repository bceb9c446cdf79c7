/**
 * Builds the real Kubernetes programs that the tests and benchmarks run against, from their Go modules
 * (tools/kubernetes pins them), into a cache outside the tree.
 *
 *   node scripts/kubernetes.ts [PROGRAM …]      all of them when none is named
 *
 * Also the clients that tests try the server with: helm, and the Go programs of test/clients.
 *
 * Needs Go on PATH; without it nothing is built and the exit code is 0 (tests say what they skip), with CI=true it is 1.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { KUBERNETES_VERSION, kubernetesDir } from '../test/support/kubernetes.ts'
import { goProgram, isProgram, PROGRAMS } from '../test/support/programs.ts'

const PACKAGES: Record<string, string> = {
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  etcd: 'go.etcd.io/etcd/server/v3',
  'e2e.test': 'k8s.io/kubernetes/test/e2e',
  'sample-apiserver': 'k8s.io/sample-apiserver',
  ginkgo: 'github.com/onsi/ginkgo/v2/ginkgo',
  webhook: './webhook',
}

const [major, minor] = KUBERNETES_VERSION.slice(1).split('.') as [string, string]
const LDFLAGS = [
  '-s',
  '-w',
  `-X k8s.io/component-base/version.gitVersion=${KUBERNETES_VERSION}`,
  `-X k8s.io/component-base/version.gitMajor=${major}`,
  `-X k8s.io/component-base/version.gitMinor=${minor}`,
  '-X k8s.io/component-base/version.gitTreeState=clean',
  `-X k8s.io/client-go/pkg/version.gitVersion=${KUBERNETES_VERSION}`,
].join(' ')

const wanted = process.argv.length > 2 ? process.argv.slice(2) : [...Object.keys(PACKAGES), ...Object.keys(PROGRAMS)]
const target = kubernetesDir()
const missing = wanted.filter((name) => !isProgram(name) && !existsSync(join(target, name)))
const code = missing.length > 0 ? build(missing) : 0
if (code === 0) for (const name of wanted.filter(isProgram)) goProgram(name)
process.exitCode = code

function build(names: readonly string[]): number {
  if (spawnSync('go', ['version']).status !== 0) {
    process.stderr.write(`kubernetes: no Go on PATH, ${names.join(', ')} not built\n`)
    return process.env['CI'] === 'true' ? 1 : 0
  }
  mkdirSync(target, { recursive: true })
  for (const name of names) {
    const pkg = PACKAGES[name]
    if (pkg === undefined) {
      process.stderr.write(`kubernetes: no program ${name}; there are ${Object.keys(PACKAGES).join(', ')}\n`)
      return 2
    }
    process.stderr.write(`kubernetes: building ${name} ${KUBERNETES_VERSION} (once; minutes on a cold cache) …\n`)
    const partial = join(target, `.${name}.${process.pid}`)
    // Vet would run over every dependency of the suite.
    const how = name.endsWith('.test') ? ['test', '-c', '-vet=off'] : ['build']
    const go = spawnSync('go', [...how, '-trimpath', '-ldflags', LDFLAGS, '-o', partial, pkg], {
      cwd: join(import.meta.dirname, '../tools/kubernetes'),
      stdio: ['ignore', 2, 2],
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' },
    })
    if (go.status !== 0) return 1
    renameSync(partial, join(target, name))
  }
  return 0
}
