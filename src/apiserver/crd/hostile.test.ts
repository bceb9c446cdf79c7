/** Definitions and objects of somebody who means no good: clear answers, and nobody else waits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testServer } from '../http/fixture.ts'
import type { Any, Answer, Server } from '../http/fixture.ts'
import { DEFINITIONS } from './testdata/requests.ts'

const OBJECTS = '/apis/example.com/v1/namespaces/default/traps'

function trap(spec: object, root: object = {}): Any {
  const version = {
    name: 'v1',
    served: true,
    storage: true,
    schema: { openAPIV3Schema: { type: 'object', properties: { spec }, ...root } },
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'traps.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'traps', kind: 'Trap' },
      versions: [version],
    },
  }
}

const object = (spec: unknown, name = 'a'): Any => ({
  apiVersion: 'example.com/v1',
  kind: 'Trap',
  metadata: { name },
  spec,
})

async function define(server: Server, body: Any): Promise<Answer> {
  const answer = await server.ask('POST', DEFINITIONS, body)
  await server.custom.idle()
  return answer
}

/** Processor milliseconds of this thread. */
const spent = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** The most that this thread did in one turn while something ran: what somebody else would wait, in milliseconds. */
async function longestTurn<T>(work: () => Promise<T>): Promise<{ result: T; longest: number }> {
  let longest = 0
  let last = spent()
  let running = true
  const look = (): void => {
    const now = spent()
    longest = Math.max(longest, now - last)
    last = now
    if (running) setImmediate(look)
  }
  setImmediate(look)
  const result = await work()
  running = false
  look()
  return { result, longest }
}

test('names of JavaScript are names like others, in schemas and in objects', async () => {
  const server = await testServer()
  const text = `{"type":"object","properties":{"__proto__":{"type":"integer","maximum":5},"constructor":{"type":"string","default":"c"},"hasOwnProperty":{"type":"object","additionalProperties":{"type":"string"}}},"x-kubernetes-validations":[{"rule":"!has(self.constructor) || self.constructor != 'x'"}]}`
  const body = JSON.stringify(trap({})).replace('"properties":{"spec":{}}', `"properties":{"spec":${text}}`)
  const made = await server.ask('POST', DEFINITIONS, body)
  assert.equal(made.status, 201, made.text)
  await server.custom.idle()
  const raw = (spec: string, name = 'a') => JSON.stringify(object({}, name)).replace('"spec":{}', `"spec":${spec}`)
  const good = await server.ask('POST', OBJECTS, raw('{"__proto__":3,"hasOwnProperty":{"__proto__":"x"},"valueOf":1}'))
  assert.equal(good.status, 201, good.text)
  assert.ok(
    good.text.includes('"spec":{"__proto__":3,"hasOwnProperty":{"__proto__":"x"},"constructor":"c"}'),
    good.text,
  )
  const bad = await server.ask('POST', OBJECTS, raw('{"__proto__":7}', 'b'))
  assert.equal(bad.json.details.causes[0].field, 'spec.__proto__')
  const ruled = await server.ask('POST', OBJECTS, raw('{"constructor":"x"}', 'b'))
  assert.equal(ruled.json.details.causes[0].field, 'spec')
  assert.equal(({} as Any).polluted, undefined)
})

test('schemas and objects may be deep', async () => {
  const server = await testServer()
  let schema: Any = { type: 'string' }
  let value: unknown = 'leaf'
  for (let i = 0; i < 300; i++) {
    schema = { type: 'object', properties: { n: schema } }
    value = { n: value }
  }
  assert.equal((await define(server, trap(schema))).status, 201)
  assert.equal((await server.ask('POST', OBJECTS, object(value))).status, 201)
  assert.equal((await server.ask('PUT', `${OBJECTS}/a`, (await server.ask('GET', `${OBJECTS}/a`)).json)).status, 200)
  const refused = await server.ask('POST', DEFINITIONS, deepText(5000))
  assert.ok(refused.status >= 400 && refused.status < 500, String(refused.status))
})

/** JSON that is deeper than JSON.stringify goes. */
function deepText(depth: number): string {
  const head = '{"type":"object","properties":{"n":'
  const schema = `${head.repeat(depth)}{"type":"string"}${'}}'.repeat(depth)}`
  return JSON.stringify(trap({})).replace('"properties":{"spec":{}}', `"properties":{"spec":${schema}}`)
}

test('thousands of rules are compiled in turns, and evaluated in turns', async () => {
  const server = await testServer()
  const properties: Any = {}
  for (let i = 0; i < 1500; i++)
    properties[`f${i}`] = {
      type: 'string',
      maxLength: 20,
      'x-kubernetes-validations': [{ rule: `self.startsWith('a') || self.size() > ${i % 7}` }],
    }
  const made = await longestTurn(() => define(server, trap({ type: 'object', properties })))
  assert.equal(made.result.status, 201, made.result.text.slice(0, 500))
  assert.ok(made.longest < 250, `${made.longest} ms`)
  const spec = Object.fromEntries(Object.keys(properties as object).map((name) => [name, 'abc']))
  const created = await longestTurn(() => server.ask('POST', OBJECTS, object(spec)))
  assert.equal(created.result.status, 201)
  assert.ok(created.longest < 250, `${created.longest} ms`)
})

test('an object has a budget for all its rules', async () => {
  const server = await testServer()
  const item = { type: 'string', maxLength: 10, 'x-kubernetes-validations': [{ rule: "self.contains('a')" }] }
  const spec = { type: 'object', properties: { l: { type: 'array', maxItems: 200_000, items: item } } }
  const defined = await define(server, trap(spec))
  assert.equal(defined.status, 201, defined.text)
  const l = Array.from({ length: 150_000 }, () => 'bab')
  const { result, longest } = await longestTurn(() => server.ask('POST', OBJECTS, object({ l })))
  assert.ok(result.status === 201 || result.json.message.includes('budget'), result.text.slice(0, 300))
  assert.ok(longest < 600, `${longest} ms`)
})

test('an answer names a thousand problems at most', async () => {
  const server = await testServer()
  await define(server, trap({ type: 'object', properties: { l: { type: 'array', items: { type: 'string' } } } }))
  const { status, json } = await server.ask('POST', OBJECTS, object({ l: Array.from({ length: 300_000 }, () => 1) }))
  assert.equal(status, 422)
  assert.equal(json.details.causes.length, 1000)
})

test('large enums and many required fields are looked up, not searched', async () => {
  const server = await testServer()
  const values = Array.from({ length: 20_000 }, (_, i) => `value-${i}`)
  const item = { type: 'string', enum: values }
  await define(server, trap({ type: 'object', properties: { l: { type: 'array', items: item } } }))
  const l = Array.from({ length: 50_000 }, (_, i) => `value-${i % 20_000}`)
  const { result, longest } = await longestTurn(() => server.ask('POST', OBJECTS, object({ l })))
  assert.equal(result.status, 201)
  assert.ok(longest < 500, `${longest} ms`)
})
