/** What ginkgo's JSON report says of the tests that ran. */

export interface Result {
  readonly name: string
  readonly passed: boolean
  readonly seconds: number
  /** What it failed with and where; empty when it passed. */
  readonly failure: string
}

interface Spec {
  readonly ContainerHierarchyTexts: readonly string[] | null
  readonly LeafNodeText: string
  readonly LeafNodeType: string
  readonly State: string
  /** Nanoseconds. */
  readonly RunTime: number
  readonly Failure?: {
    readonly Message?: string
    readonly ForwardedPanic?: string
    readonly Location?: { readonly FileName: string; readonly LineNumber: number }
  }
}

/**
 * The tests of a report, without those that were not selected.
 * @throws Error when the suite failed before its tests
 */
export function parseReport(text: string): Result[] {
  const results: Result[] = []
  for (const { SpecReports } of JSON.parse(text) as { SpecReports: readonly Spec[] | null }[]) {
    for (const spec of SpecReports ?? []) {
      if (spec.LeafNodeType !== 'It') {
        if (spec.State !== 'passed') throw new Error(`${spec.LeafNodeType}: ${failureOf(spec)}`)
        continue
      }
      if (spec.State === 'skipped' && spec.RunTime === 0) continue
      results.push({
        name: [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(' '),
        passed: spec.State === 'passed',
        seconds: spec.RunTime / 1e9,
        failure: spec.State === 'passed' ? '' : failureOf(spec),
      })
    }
  }
  return results
}

function failureOf({ State, Failure }: Spec): string {
  const at = Failure?.Location
  const where = at === undefined ? '' : ` (${at.FileName.replace(/^.*\/test\/e2e\//, 'test/e2e/')}:${at.LineNumber})`
  return [`${State}${where}:`, Failure?.Message, Failure?.ForwardedPanic].filter(Boolean).join(' ')
}

const FINISHED = /^• \[(?:([A-Z ]+)\] \[)?([\d.]+) seconds\]\n(.*)/
const RULE = '------------------------------\n'
/** ` [sig-x, Conformance]`: all labels, behind the name. */
const LABELS = / \[[^\][]*, [^\][]*\]$/
const NODE = / \[(?:It|BeforeEach|AfterEach|DeferCleanup \(Each\))\]/
const MESSAGE = /^ {2}\[(?:FAILED|PANICKED|TIMEDOUT|INTERRUPTED)\] (?!in )(.*)/gm

/** The tests that a log in the manner of `ginkgo -v` tells to have finished: what there is when no report was written. */
export function parseLog(text: string): Result[] {
  const results: Result[] = []
  for (const part of text.split(RULE)) {
    const found = FINISHED.exec(part)
    if (found === null) continue
    const [, state, seconds = '', title = ''] = found
    const messages = [...part.matchAll(MESSAGE)].map(([, message]) => message)
    results.push({
      name: title.replace(LABELS, '').replace(NODE, ''),
      passed: state === undefined,
      seconds: Number(seconds),
      failure: state === undefined ? '' : `${state.toLowerCase()}: ${messages.at(-1) ?? ''}`,
    })
  }
  return results
}

export interface Judgement {
  /** Known green tests that failed. */
  readonly broken: readonly Result[]
  /** Asked for, and not in the suite. */
  readonly missing: readonly string[]
  /** Passed and not known to. */
  readonly newlyGreen: readonly string[]
  /** Failed and not known to pass. */
  readonly red: readonly Result[]
}

/** Compares what ran with what was asked for and what is known to pass. */
export function judge(results: readonly Result[], asked: readonly string[], known: ReadonlySet<string>): Judgement {
  const ran = new Set(results.map(({ name }) => name))
  return {
    broken: results.filter(({ name, passed }) => !passed && known.has(name)),
    missing: asked.filter((name) => !ran.has(name)),
    newlyGreen: results.filter(({ name, passed }) => passed && !known.has(name)).map(({ name }) => name),
    red: results.filter(({ name, passed }) => !passed && !known.has(name)),
  }
}
