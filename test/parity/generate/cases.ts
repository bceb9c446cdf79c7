/** All cases: the corpus, and what the generators make of the seeds. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import type { Case, Fixture, Step } from '../case.ts'
import { collection, nameOf, namespaceOf, type Seed } from '../seeds.ts'
import { applies, patches } from './patches.ts'
import { life, listed, options, reads } from './reads.ts'
import { subresources } from './subresources.ts'
import { bodies, creates, fixtureObject, updates } from './writes.ts'

export interface Plan {
  /** Made first, in this order. */
  readonly fixtures: readonly Fixture[]
  readonly cases: readonly Case[]
}

export function plan(seeds: readonly Seed[]): Plan {
  const fixtures: Fixture[] = [ground(seeds)]
  const cases: Case[] = []
  for (const seed of seeds) {
    const { verbs } = seed.resource
    cases.push(...creates(seed))
    const object = fixtureObject(seed, 'stored')
    const name = nameOf(object)
    cases.push(...options(seed, seed.kind, name))
    if (!verbs.includes('update')) continue
    fixtures.push({
      name: seed.kind,
      steps: [...listed(seed), { method: 'POST', path: collection(seed.resource), body: object }],
    })
    cases.push(
      ...bodies(seed),
      ...updates(seed, seed.kind, name),
      ...patches(seed, seed.kind, name),
      ...applies(seed),
      ...reads(seed, seed.kind, name),
      ...life(seed),
      ...subresources(seed, seed.kind, name),
    )
  }
  cases.push(...corpus())
  const seen = new Set<string>()
  for (const { id } of cases) {
    if (seen.has(id)) throw new Error(`two cases are called ${id}`)
    seen.add(id)
  }
  return { fixtures, cases }
}

/** Namespaces and their service accounts, which controllers would make. */
function ground(seeds: readonly Seed[]): Fixture {
  const names = new Set([
    'default',
    ...seeds.flatMap(({ resource: r }) => (r.namespaced ? [namespaceOf(r), namespaceOf(r, 'l')] : [])),
  ])
  const steps: Step[] = []
  for (const name of names) {
    if (name !== 'default')
      steps.push({
        method: 'POST',
        path: '/api/v1/namespaces',
        body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
      })
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
    steps.push({ method: 'POST', path: `/api/v1/namespaces/${name}/serviceaccounts`, body: account })
  }
  return { name: 'ground', steps }
}

interface CorpusText {
  kind: string
  cases: { name: string; fixture?: boolean; steps: Step[] }[]
}

/** Hand-written cases. */
function corpus(): Case[] {
  const folder = join(import.meta.dirname, '../corpus')
  return globSync('*.yaml', { cwd: folder })
    .sort()
    .flatMap((file) => load(readFileSync(join(folder, file), 'utf8')) as CorpusText[])
    .flatMap(({ kind, cases }) =>
      cases.map(({ name, fixture, steps }) => ({
        id: `${kind} ${name}`,
        kind,
        byHand: true as const,
        ...(fixture === true && { fixture: kind }),
        steps,
      })),
    )
}
