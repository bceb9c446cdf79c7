/** What a run tells. */
import type { Case } from './case.ts'
import { CLASSES, type Class, type Difference } from './compare.ts'

export interface Result {
  readonly asked: Case
  /** The step that differs. */
  readonly step: number
  /** Neither equal nor harmless. */
  readonly differences: readonly Difference[]
  readonly harmless: number
}

interface Row {
  cases: number
  requests: number
  equal: number
  harmless: number
  readonly classes: Map<Class, number>
}

/** A line for each kind: cases, equal ones, and how many cases differ worst in which class. */
export function summary(results: readonly Result[], group: (kind: string) => string = (kind) => kind): string {
  const rows = new Map<string, Row>()
  const total: Row = emptyRow()
  for (const result of results) {
    const name = group(result.asked.kind)
    let row = rows.get(name)
    if (row === undefined) rows.set(name, (row = emptyRow()))
    for (const one of [row, total]) count(one, result)
  }
  const lines = [...[...rows].sort(([a], [b]) => (a < b ? -1 : 1)), ['all', total] as const].map(([name, row]) => [
    name,
    row.cases,
    row.requests,
    row.equal,
    row.harmless,
    ...CLASSES.map((c) => row.classes.get(c) ?? ''),
  ])
  return table([['kind', 'cases', 'requests', 'equal', 'harmless', ...CLASSES], ...lines])
}

function emptyRow(): Row {
  return { cases: 0, requests: 0, equal: 0, harmless: 0, classes: new Map() }
}

function count(row: Row, { asked, differences, harmless }: Result): void {
  row.cases++
  row.requests += asked.steps.length
  if (differences.length === 0) {
    if (harmless > 0) row.harmless++
    else row.equal++
    return
  }
  const worst = CLASSES.find((c) => differences.some((d) => d.class === c))!
  row.classes.set(worst, (row.classes.get(worst) ?? 0) + 1)
}

function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = rows[0]!.map((_cell, i) => Math.max(...rows.map((row) => String(row[i]).length)))
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? String(cell).padEnd(widths[i]!) : String(cell).padStart(widths[i]!))).join('  '),
    )
    .join('\n')
}

/** Differences, those with one cause together: one example, how many there are, and in how many kinds. */
export function details(results: readonly Result[], most: number): string {
  const groups = new Map<string, { result: Result; difference: Difference; count: number; kinds: Set<string> }>()
  for (const result of results) {
    for (const difference of result.differences) {
      const key = signature(difference)
      const found = groups.get(key)
      const { kind } = result.asked
      if (found === undefined) groups.set(key, { result, difference, count: 1, kinds: new Set([kind]) })
      else {
        found.count++
        found.kinds.add(kind)
      }
    }
  }
  const order = (d: Difference) => CLASSES.indexOf(d.class)
  const sorted = [...groups.values()].sort((a, b) => order(a.difference) - order(b.difference) || b.count - a.count)
  const out = sorted.slice(0, most).map(({ result, difference: d, count: n, kinds }) => {
    const { asked, step } = result
    const at = asked.steps.length > 1 ? ` (step ${step + 1}: ${asked.steps[step]!.method})` : ''
    const where = kinds.size > 1 ? ` in ${kinds.size} kinds` : ''
    return `${n}× ${d.class} ${d.path}${where}\n    ${asked.id}${at}\n    real: ${cut(d.real)}\n    ours: ${cut(d.ours)}`
  })
  if (sorted.length > most) out.push(`… and ${sorted.length - most} more kinds of differences`)
  return out.join('\n')
}

/** The same for what is the same but for numbers, names and quoted values. */
function signature(d: Difference): string {
  const plain = (text: string) =>
    text
      .replaceAll(/"(?:[^"\\]|\\.)*"/g, '"…"')
      .replaceAll(/\b[\w.]+ "…" (is invalid|not found|already exists|is forbidden)/g, '… $1')
      .replaceAll(/\d+/g, '0')
      .slice(0, 160)
  return [d.class, d.path.replaceAll(/\[\d+\]/g, '[]'), plain(d.real), plain(d.ours)].join('\0')
}

const cut = (text: string): string => (text.length > 700 ? `${text.slice(0, 700)}…` : text)
