/** What the server is: its version and its features. */
import type { VersionInfo } from '../http/contract.ts'
import { FEATURES } from './features.ts'
import { goFloat, head, labelText } from './text.ts'

type Text = readonly [name: string, text: string]

/** One gauge with fixed label sets. */
export function gaugeText(
  name: string,
  help: string,
  labels: readonly string[],
  samples: Iterable<readonly [values: readonly string[], value: number]>,
): Text {
  let text = ''
  for (const [values, value] of samples) {
    const set = labels.length === 0 ? '' : `{${labelText(labels, values)}}`
    text += `${name}${set} ${goFloat(value)}\n`
  }
  return [name, text === '' ? '' : head(name, help, 'gauge') + text]
}

export function buildMetrics(info: VersionInfo): readonly Text[] {
  const build = {
    build_date: info.buildDate,
    compiler: info.compiler,
    git_commit: info.gitCommit,
    git_tree_state: info.gitTreeState,
    git_version: info.gitVersion,
    go_version: info.goVersion,
    major: info.major,
    minor: info.minor,
    platform: info.platform,
  }
  const version = {
    binary: info.gitVersion.replace(/^v/, ''),
    component: 'kube',
    emulation: `${info.emulationMajor}.${info.emulationMinor}`,
    min_compat: `${info.minCompatibilityMajor}.${info.minCompatibilityMinor}`,
  }
  return [
    constant('kubernetes_build_info', '[BETA] The release whose API this is.', build),
    gaugeText(
      'kubernetes_feature_enabled',
      '[BETA] Features of that release, and whether they are on.',
      ['name', 'stage'],
      FEATURES.map(({ name, stage, enabled }) => [[name, stage], enabled ? 1 : 0]),
    ),
    constant('version_info', '[ALPHA] The versions that this is compatible with.', version),
  ]
}

function constant(name: string, help: string, labels: Readonly<Record<string, string>>): Text {
  return gaugeText(name, help, Object.keys(labels), [[Object.values(labels), 1]])
}
