/** What a namespace's labels ask of its pods. Pure. */
import type { FieldError } from '../field.ts'
import { invalid } from '../field.ts'
import type { StringMap } from '../object.ts'

export type Level = 'privileged' | 'baseline' | 'restricted'

/** The minor version of the standards; Infinity: the latest. */
export interface Standard {
  readonly level: Level
  readonly minor: number
}

export type Mode = 'enforce' | 'audit' | 'warn'
export type Policy = Readonly<Record<Mode, Standard>>

const PREFIX = 'pod-security.kubernetes.io/'
const LEVELS: readonly Level[] = ['privileged', 'baseline', 'restricted']
const OPEN: Standard = { level: 'privileged', minor: Infinity }

/** `restricted:v1.25`, as messages name it. */
export function standardText({ level, minor }: Standard): string {
  return `${level}:${minor === Infinity ? 'latest' : `v1.${minor}`}`
}

/** Below 0 when the first asks for less. */
export function compareLevels(a: Level, b: Level): number {
  return LEVELS.indexOf(a) - LEVELS.indexOf(b)
}

/** A level that cannot be read is the strictest for `enforce`, and none for the others. */
export function policyOf(labels: StringMap | undefined): { policy: Policy; errors: FieldError[] } {
  const errors: FieldError[] = []
  const read = (name: string): string | undefined => {
    const label = `${PREFIX}${name}`
    return labels !== undefined && Object.hasOwn(labels, label) ? labels[label] : undefined
  }
  const wrong = (name: string, value: string, detail: string): unknown =>
    errors.push(invalid(`metadata.labels[${PREFIX}${name}]`, value, detail))
  const standard = (mode: Mode): Standard => {
    const [levelText, versionText] = [read(mode), read(`${mode}-version`)]
    let { level, minor } = OPEN
    if (levelText !== undefined) {
      const known = LEVELS.find((one) => one === levelText)
      if (known === undefined) wrong(mode, levelText, `must be one of ${LEVELS.join(', ')}`)
      level = known ?? (mode === 'enforce' ? 'restricted' : 'privileged')
    }
    if (versionText !== undefined) {
      const match = /^v1\.(0|[1-9][0-9]{0,9})$/.exec(versionText)
      if (match !== null) minor = Number(match[1])
      else if (versionText !== 'latest') wrong(`${mode}-version`, versionText, 'must be "latest" or "v1.x"')
    }
    return { level, minor }
  }
  const enforce = standard('enforce')
  const audit = standard('audit')
  let warn = standard('warn')
  const enforces = LEVELS.some((level) => level === read('enforce'))
  if (read('warn') === undefined && enforces && compareLevels(enforce.level, warn.level) > 0) {
    warn = { level: enforce.level, minor: read('warn-version') === undefined ? enforce.minor : warn.minor }
  }
  return { policy: { enforce, audit, warn }, errors }
}
