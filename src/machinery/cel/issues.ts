/** Problems of an expression, and how they are shown: the line with a mark under the place. */

export interface Issue {
  /** Code points from the start of the text; -1 for none. */
  readonly pos: number
  readonly message: string
}

/** More are only counted, as upstream does. */
const MAX_ISSUES = 100
/** Longer lines are not shown. */
const MAX_SNIPPET = 16384

/** A text with its lines. Positions count code points. */
export class Source {
  readonly text: string
  readonly points: readonly string[] | undefined
  readonly length: number
  #lines: readonly number[] | undefined

  constructor(text: string) {
    this.text = text
    this.points = /[\ud800-\udfff]/.test(text) ? Array.from(text) : undefined
    this.length = this.points?.length ?? text.length
  }

  #starts(): readonly number[] {
    if (this.#lines !== undefined) return this.#lines
    const lines = [0]
    let at = 0
    for (const c of this.points ?? this.text) {
      at++
      if (c === '\n') lines.push(at)
    }
    this.#lines = lines
    return lines
  }

  slice(from: number, to: number): string {
    return this.points === undefined ? this.text.slice(from, to) : this.points.slice(from, to).join('')
  }

  /** Line from 1, column from 0. */
  locate(pos: number): { line: number; column: number } {
    if (pos < 0) return { line: -1, column: -1 }
    // Upstream's place in nothing is before its start.
    if (this.length === 0) return { line: 1, column: -1 }
    const starts = this.#starts()
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= pos) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: pos - starts[low]! }
  }

  snippet(line: number): string | undefined {
    const starts = this.#starts()
    if (line < 1 || line > starts.length || this.length === 0) return undefined
    const next = starts[line]
    return this.slice(starts[line - 1]!, next === undefined ? this.length : next - 1)
  }
}

function isWide(c: string | undefined): boolean {
  return c !== undefined && c.codePointAt(0)! > 0x7f
}

function display({ pos, message }: Issue, source: Source): string {
  const { line, column } = source.locate(pos)
  let text = `ERROR: <input>:${line}:${column + 1}: ${message}`
  const snippet = source.snippet(line)?.replaceAll('\t', ' ')
  if (snippet === undefined || Buffer.byteLength(snippet) > MAX_SNIPPET) return text
  const points = Array.from(snippet)
  text += `\n | ${snippet}\n | `
  for (let i = 0; i < column && i < points.length; i++) text += isWide(points[i]) ? '\uff0e' : '.'
  return text + (isWide(points[column]) ? '\uff3e' : '^')
}

/** All problems in the order of the text. */
export function showIssues(issues: readonly Issue[], source: Source): string {
  const shown = issues.slice(0, MAX_ISSUES).map((issue) => ({ issue, at: source.locate(issue.pos) }))
  shown.sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
  const lines = shown.map(({ issue }) => display(issue, source))
  if (issues.length > MAX_ISSUES) lines.push(`${issues.length - MAX_ISSUES} more errors were truncated`)
  return lines.join('\n')
}
