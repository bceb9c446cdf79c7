/** Reads Prometheus' text format, and what of it two servers can have in common. */

export interface Family {
  readonly name: string
  readonly type: string
  /** `STABLE`, `BETA`, `ALPHA`, or '' of libraries. */
  readonly stability: string
  readonly samples: readonly Sample[]
}

export interface Sample {
  /** The family's, with `_bucket`, `_sum` or `_count` where it is a part of one. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** As written. */
  readonly value: string
}

/** @throws Error for what is no exposition */
export function readExposition(text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, { name: string; type: string; stability: string; samples: Sample[] }>()
  let family: { name: string; type: string; stability: string; samples: Sample[] } | undefined
  let help = ''
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, keyword, name, rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? []
    if (keyword === 'HELP') help = rest
    else if (keyword === 'TYPE') {
      if (families.has(name!)) throw new Error(`${name} comes twice`)
      const stability = /\[(STABLE|BETA|ALPHA)\]/.exec(help)?.[1] ?? ''
      families.set(name!, (family = { name: name!, type: rest, stability, samples: [] }))
    } else {
      const sample = readSample(line)
      const part = family !== undefined && (family.type === 'histogram' || family.type === 'summary')
      const of = part ? sample.name.replace(/_(?:bucket|sum|count)$/, '') : sample.name
      if (family?.name !== of) throw new Error(`no place for ${line}`)
      family.samples.push(sample)
    }
  }
  return families
}

function readSample(line: string): Sample {
  const [, name, inner = '', value] = /^([\w:]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (name === undefined || value === undefined) throw new Error(`no sample: ${line}`)
  const labels: Record<string, string> = {}
  const rest = inner.replaceAll(
    /([A-Za-z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/g,
    (_, label: string, text: string) => {
      labels[label] = text
      return ''
    },
  )
  if (rest !== '') throw new Error(`no labels: ${line}`)
  return { name, labels, value }
}

/** One line a family: name, type, stability, labels in order, and the bounds of its buckets or its quantiles. */
export function shapes(families: ReadonlyMap<string, Family>): string[] {
  return [...families.values()].map(shape)
}

export function shape({ name, type, stability, samples }: Family): string {
  const sets = new Set(
    samples.map(({ labels }) =>
      Object.keys(labels)
        .filter((label) => label !== 'le' && label !== 'quantile')
        .join(','),
    ),
  )
  const first = samples[0]
  const bounds = samples
    .filter((sample) => (sample.labels['le'] ?? sample.labels['quantile']) !== undefined && sameSet(sample, first!))
    .map(({ labels }) => labels['le'] ?? labels['quantile'])
  const parts = [name, type, stability || '-', `{${[...sets].join(' | ')}}`, bounds.join(' ')]
  return parts.join(' ').trimEnd()
}

function sameSet(a: Sample, b: Sample): boolean {
  return Object.entries(a.labels).every(
    ([name, value]) => name === 'le' || name === 'quantile' || b.labels[name] === value,
  )
}

/** What counters and the counts of histograms grew by, by series. */
export function growth(before: ReadonlyMap<string, Family>, after: ReadonlyMap<string, Family>): Map<string, number> {
  const grown = counts(after)
  for (const [series, value] of counts(before)) {
    const by = (grown.get(series) ?? 0) - value
    if (by === 0) grown.delete(series)
    else grown.set(series, by)
  }
  for (const [series, value] of grown) if (value === 0) grown.delete(series)
  return grown
}

function counts(families: ReadonlyMap<string, Family>): Map<string, number> {
  const out = new Map<string, number>()
  for (const { type, samples } of families.values()) {
    if (type === 'gauge') continue
    for (const { name, labels, value } of samples) {
      if (type !== 'counter' && !name.endsWith('_count')) continue
      const text = Object.entries(labels).map(([label, set]) => `${label}="${set}"`)
      out.set(`${name}{${text.join(',')}}`, Number(value))
    }
  }
  return out
}

/** What all of them have in common: the smallest growth of each series that grew in all. */
export function least(all: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const out = new Map<string, number>()
  for (const [series, first] of all[0] ?? []) {
    const values = all.map((grown) => grown.get(series) ?? 0)
    const value = Math.min(first, ...values)
    if (value > 0) out.set(series, value)
  }
  return out
}

/** One growth without what another explains. */
export function without(grown: ReadonlyMap<string, number>, own: ReadonlyMap<string, number>): Map<string, number> {
  const out = new Map<string, number>()
  for (const [series, value] of grown) {
    const rest = value - (own.get(series) ?? 0)
    if (rest > 0) out.set(series, rest)
  }
  return out
}
