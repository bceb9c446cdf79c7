/** The cases that are known to differ: work that is left. A case may leave the list and must not join it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hash, type Case } from './case.ts'

const FILE = join(import.meta.dirname, 'open.txt')

/** A short digest of an id: the list is for machines, `--show` tells what differs. */
const digest = ({ id }: Case): string => hash(id).toString(36)

export function readOpen(): (asked: Case) => boolean {
  const known = new Map<string, ReadonlySet<string>>()
  for (const line of readFileSync(FILE, 'utf8').split('\n')) {
    const [kind, ...digests] = line.split(' ')
    if (kind !== '') known.set(kind!, new Set(digests))
  }
  return (asked) => known.get(asked.kind)?.has(digest(asked)) ?? false
}

/** Replaces the list. */
export function writeOpen(open: readonly Case[]): void {
  const kinds = new Map<string, Set<string>>()
  for (const asked of open) {
    const found = kinds.get(asked.kind)
    if (found === undefined) kinds.set(asked.kind, new Set([digest(asked)]))
    else found.add(digest(asked))
  }
  const lines = [...kinds].map(([kind, digests]) => [kind, ...[...digests].sort()].join(' ')).sort()
  writeFileSync(FILE, `${lines.join('\n')}\n`)
}
