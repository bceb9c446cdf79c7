/**
 * Cases in testdata/*.txt: what the tenant has, and what the host gets for it. TENANTRY_UPDATE=1 writes the answers
 * anew.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { dump, load } from 'js-yaml'
import type { KubeObject } from '../../machinery/object.ts'
import { tenantView, type ViewOptions } from '../fixture.ts'
import { stamp } from '../identity.ts'
import { descriptors, type SyncedKind } from '../kinds.ts'

const folder = join(import.meta.dirname, 'testdata')
const update = process.env['TENANTRY_UPDATE'] === '1'

/** `# title`, an optional line of options, the tenant's object, the host's. */
const CASE = /^(# .*\n(?:options: .*\n)?)-- tenant --\n([\s\S]*?)-- host --\n([\s\S]*)$/

for (const file of readdirSync(folder)) {
  const path = join(folder, file)
  const text = readFileSync(path, 'utf8')
  const cases = text.split(/^(?=# )/m)
  const fresh: string[] = []
  for (const one of cases) {
    const [, head, input, golden] = CASE.exec(one) ?? assert.fail(`${file}: not a case: ${one.slice(0, 60)}`)
    const answer = translate(head!, input!)
    fresh.push(`${head!}-- tenant --\n${input!}-- host --\n${answer}\n`)
    test(`${file}: ${head!.slice(2, head!.indexOf('\n'))}`, () => {
      if (!update) assert.equal(answer, golden!.trimEnd() + '\n')
    })
  }
  if (update) writeFileSync(path, fresh.join('').trimEnd() + '\n')
}

function translate(head: string, input: string): string {
  const line = /^options: (.*)$/m.exec(head)?.[1]
  const view = tenantView((line === undefined ? {} : load(line)) as ViewOptions)
  const object = load(input) as KubeObject
  const before = JSON.stringify(object)
  const answer = descriptors[object.kind as SyncedKind].toHost(object, view)
  assert.equal(JSON.stringify(object), before, 'a translation changes nothing in the tenant’s object')
  if ('refused' in answer) return `refused: ${answer.refused}\n`
  const host = stamp(answer.object, object, view.tenant, view.tenant.placement.labels(object.metadata.namespace!))
  host.metadata.annotations!['tenantry.dev/applied'] = '(hash)'
  return dump(JSON.parse(JSON.stringify(host)), { lineWidth: 160, noRefs: true, sortKeys: true })
}
