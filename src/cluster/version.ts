import type { VersionInfo } from '../apiserver/http/contract.ts'

/** The Kubernetes release whose API the embedded cluster serves. */
export const KUBERNETES_VERSION = 'v1.37.1'

const [major, minor] = KUBERNETES_VERSION.slice(1).split('.') as [string, string]

/** `/version` */
export const versionInfo: VersionInfo = {
  major,
  minor,
  emulationMajor: major,
  emulationMinor: minor,
  minCompatibilityMajor: major,
  minCompatibilityMinor: String(Number(minor) - 1),
  gitVersion: KUBERNETES_VERSION,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'tenantry',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
}
