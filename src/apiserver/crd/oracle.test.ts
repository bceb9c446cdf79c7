/** Custom resources against the answers of a real kube-apiserver, which scripts/crd-oracle.ts recorded. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { testServer } from '../http/fixture.ts'
import type { Any } from '../http/fixture.ts'
import type { Recorded } from './testdata/requests.ts'
import { DEFINITIONS, definition, definitionRequests, objectRequests } from './testdata/requests.ts'

const answers = JSON.parse(readFileSync(join(import.meta.dirname, 'testdata', 'answers.json'), 'utf8')) as {
  definitions: Recorded[]
  objects: Recorded[]
}

function withoutTimes(status: Any): unknown {
  const conditions = status.conditions.map(({ lastTransitionTime: _time, ...rest }: Any) => rest)
  return { ...status, conditions }
}

describe('definitions', async () => {
  const server = await testServer()
  for (const [i, { name, path, body }] of definitionRequests().entries()) {
    const wanted = answers.definitions[i]!
    assert.equal(wanted.name, name, 'answers.json belongs to other cases: run scripts/crd-oracle.ts')
    test(name, async () => {
      const created = await server.ask('POST', path, body)
      assert.equal(created.status, wanted.code, created.text)
      if (wanted.code !== 201) {
        assert.equal(created.json.message, wanted.answer.message)
        assert.deepEqual(created.json.details, wanted.answer.details)
        return
      }
      await server.custom.idle()
      const at = `${DEFINITIONS}/${body.metadata.name}`
      const { json } = await server.ask('GET', at)
      assert.deepEqual(json.spec, wanted.answer.spec)
      assert.deepEqual(withoutTimes(json.status), withoutTimes(wanted.answer.status))
      await server.ask('DELETE', at)
      await server.custom.idle()
      assert.equal((await server.ask('GET', at)).status, 404)
    })
  }
})

describe('objects', async () => {
  const server = await testServer()
  await server.ask('POST', DEFINITIONS, definition())
  await server.custom.idle()
  for (const [i, { name, path, body }] of objectRequests().entries()) {
    const wanted = answers.objects[i]!
    assert.equal(wanted.name, name, 'answers.json belongs to other cases: run scripts/crd-oracle.ts')
    test(name, async () => {
      const { status, headers, json } = await server.ask('POST', path, body)
      assert.equal(status, wanted.code, JSON.stringify(json))
      assert.equal(headers['warning'] ?? '', wanted.warnings.join(', '))
      if (wanted.code === 201) {
        const { metadata: _got, ...got } = json
        const { metadata: _want, ...want } = wanted.answer
        assert.deepEqual(got, want)
      } else {
        assert.equal(json.message, wanted.answer.message)
        assert.deepEqual(json.details, wanted.answer.details)
      }
    })
  }
})
