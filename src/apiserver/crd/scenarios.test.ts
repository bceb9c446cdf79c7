/** Scenarios against the answers of a real kube-apiserver, which scripts/crd-oracle.ts recorded. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { testServer } from '../http/fixture.ts'
import type { Outcome } from './testdata/scenarios.ts'
import { runScenario, scenarios } from './testdata/scenarios.ts'

const file = join(import.meta.dirname, 'testdata', 'scenario-answers.json')
const recorded = JSON.parse(readFileSync(file, 'utf8')) as { name: string; outcomes: Outcome[] }[]

/** Upstream visits members of objects in random order: errors of one answer are compared as a set. */
function sorted({ message, causes, warnings, ...others }: Outcome): unknown {
  const rest = { ...others, warnings: warnings?.flatMap((text) => text.split(/, (?=299 )/)).toSorted() }
  if (!Array.isArray(causes) || causes.length < 2) return { ...rest, message, causes }
  const text = (cause: unknown): string => JSON.stringify(cause)
  return { ...rest, causes: causes.toSorted((a, b) => (text(a) < text(b) ? -1 : 1)) }
}

describe('scenarios', async () => {
  const server = await testServer()
  for (const [i, scenario] of scenarios().entries()) {
    test(scenario.name, async () => {
      const wanted = recorded[i]
      assert.equal(wanted?.name, scenario.name, 'scenario-answers.json belongs to other scenarios')
      const outcomes = await runScenario(
        {
          async ask(method, path, body, headers) {
            const answer = await server.ask(method, path, body, headers)
            const warning = answer.headers['warning']
            const warnings = warning === undefined ? [] : [warning]
            const json = answer.text.startsWith('{') ? answer.json : answer.text
            return { code: answer.status, warnings, answer: json }
          },
          settled: () => server.custom.idle(),
        },
        scenario,
        i,
      )
      for (const [n, outcome] of wanted.outcomes.entries()) {
        const got = outcomes[n]
        assert.deepEqual(got && sorted(got), sorted(outcome), `step ${n}: ${outcome.step}`)
      }
    })
  }
})
