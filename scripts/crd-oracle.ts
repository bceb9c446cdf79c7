/**
 * Records what a real kube-apiserver answers to the cases and scenarios in `src/apiserver/crd/testdata`, which the
 * tests of custom resources compare with.
 *
 *     node scripts/crd-oracle.ts
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DEFINITIONS,
  definition,
  definitionRequests,
  objectRequests,
  stable,
} from '../src/apiserver/crd/testdata/requests.ts'
import type { Recorded } from '../src/apiserver/crd/testdata/requests.ts'
import type { Outcome } from '../src/apiserver/crd/testdata/scenarios.ts'
import { runScenario, scenarios } from '../src/apiserver/crd/testdata/scenarios.ts'
import { startControlPlane } from '../test/support/control-plane.ts'
import { kubernetesDir } from '../test/support/kubernetes.ts'

await using plane = await startControlPlane({ programs: kubernetesDir(), controllers: false })
const file = (name: string) => readFileSync(join(plane.dir, name))
const tls = { ca: file('ca.crt'), cert: file('admin.crt'), key: file('admin.key') }

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ code: number; warnings: string[]; answer: unknown }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number; warnings: string[]; answer: unknown }>()
  const sent = request(
    `${plane.url}${path}`,
    { method, ...tls, headers: { 'content-type': 'application/json', ...headers } },
    (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece))
      answer.on('end', () => {
        const text = Buffer.concat(pieces).toString('utf8')
        const warnings = ([] as string[]).concat(answer.headers['warning'] ?? [])
        resolve({ code: answer.statusCode ?? 0, warnings, answer: text.startsWith('{') ? JSON.parse(text) : text })
      })
    },
  )
  sent.on('error', reject)
  sent.end(body === undefined ? undefined : JSON.stringify(body))
  return promise
}

/** Informers of the server hear of a change soon. */
async function settled(definition: string, path: string): Promise<void> {
  const established = async (): Promise<boolean> => {
    const { answer } = (await ask('GET', definition)) as {
      answer: { status?: { conditions?: { type: string; status: string }[] } }
    }
    return answer.status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True') ?? false
  }
  for (let i = 0; i < 200 && !(await established()); i++) await sleep(50)
  for (let i = 0; i < 200 && (await ask('GET', path)).code === 404; i++) await sleep(50)
  await sleep(2500)
}

async function gone(path: string): Promise<void> {
  await ask('DELETE', path)
  for (let i = 0; i < 200 && (await ask('GET', path)).code !== 404; i++) await sleep(50)
}

const definitions: Recorded[] = []
for (const { name, path, body } of definitionRequests()) {
  const { code, warnings, answer } = await ask('POST', path, body)
  const at = `${DEFINITIONS}/${body.metadata.name}`
  let settled = answer
  if (code === 201) {
    await sleep(1500)
    settled = (await ask('GET', at)).answer
    await gone(at)
  }
  definitions.push({ name, code, warnings, answer: stable(settled) })
}

await ask('POST', DEFINITIONS, definition())
for (let i = 0; i < 200 && (await ask('GET', '/apis/example.com/v1/widgets')).code !== 200; i++) await sleep(50)
const objects: Recorded[] = []
for (const { name, path, body } of objectRequests()) {
  const { code, warnings, answer } = await ask('POST', path, body)
  objects.push({ name, code, warnings, answer: stable(answer) })
}
const told = scenarios()
const outcomes: Outcome[][] = []
let next = 0
await Promise.all(
  Array.from({ length: 8 }, async () => {
    while (next < told.length) {
      const i = next++
      outcomes[i] = await runScenario({ ask, settled }, told[i]!, i)
    }
  }),
)
const recorded = told.map(({ name }, i) => ({ name, outcomes: outcomes[i] }))
const folder = join(import.meta.dirname, '..', 'src', 'apiserver', 'crd', 'testdata')
writeFileSync(join(folder, 'scenario-answers.json'), `${JSON.stringify(recorded, null, 1)}\n`)
const out = join(import.meta.dirname, '..', 'src', 'apiserver', 'crd', 'testdata', 'answers.json')
writeFileSync(out, `${JSON.stringify({ definitions, objects }, null, 1)}\n`)
const steps = outcomes.reduce((sum, list) => sum + list.length, 0)
console.log(`${definitions.length} definitions, ${objects.length} objects, ${steps} steps of ${told.length} scenarios`)
