/** Every expression has the problems, the type, the costs and the value that Kubernetes' own CEL gives it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { decodeJson } from '../codec/json.ts'
import type { SchemaProps } from '../schema/props.ts'
import { AUTHORIZER_TYPE, NAMESPACE_TYPE, REQUEST_TYPE, RESOURCE_CHECK_TYPE } from './builtin-type.ts'
import { compile } from './compile.ts'
import type { CelAuthorizer, CelProfile, CelType } from './contract.ts'
import { typeOfSchema } from './schema-type.ts'
import { show } from './testdata/show.ts'
import { typeText } from './types.ts'

interface Fixture {
  readonly profile: CelProfile
  readonly schema?: SchemaProps
  readonly self?: unknown
  readonly oldSelf?: unknown
  readonly dyn?: Readonly<Record<string, unknown>>
  readonly request?: unknown
  readonly namespaceObject?: unknown
  readonly authorizer?: boolean
}

interface Answer {
  readonly issues?: string
  readonly program?: string
  readonly type?: string
  readonly worst?: string
  readonly cost?: number
  readonly value?: string
  readonly error?: string
}

const data = join(import.meta.dirname, 'testdata')
const fixtures = decodeJson(readFileSync(join(data, 'fixtures.json'), 'utf8')).value as Record<string, Fixture>
const cases = readFileSync(join(data, 'answers.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Answer & { readonly on: string; readonly text: string })

/** Everybody may get pods; the path /healthz is open; asking about the name boom is an error. As in tools/oracle-cel. */
const authorizer: CelAuthorizer = {
  authorize(asked) {
    const { user, verb, group = '', resource = '', subresource = '', namespace = '', name = '', path = '' } = asked
    const who = user === undefined ? 'alice' : `system:serviceaccount:${user.namespace}:${user.serviceAccount}`
    const selectors = [asked.fieldSelector, asked.labelSelector].map((text) =>
      text === undefined || text === ''
        ? '0 false'
        : text.includes('!!')
          ? '0 true'
          : `${text.split(',').length} false`,
    )
    const reason = [who, verb, group, resource, subresource, namespace, name, path, ...selectors].join('|')
    if (name === 'boom') return { allowed: false, reason, error: 'broken' }
    return { allowed: verb === 'get' && (resource === 'pods' || path === '/healthz'), reason }
  },
}

const prepared = new Map<
  string,
  { profile: CelProfile; variables: Map<string, CelType>; values: Record<string, unknown> }
>()
for (const [name, fixture] of Object.entries(fixtures)) {
  const variables = new Map<string, CelType>()
  const values: Record<string, unknown> = {}
  if (fixture.schema !== undefined) {
    const type = typeOfSchema(fixture.schema, true)!
    variables.set('self', type).set('oldSelf', type)
    values['self'] = fixture.self
    if (fixture.oldSelf !== undefined) values['oldSelf'] = fixture.oldSelf
  }
  for (const [variable, value] of Object.entries(fixture.dyn ?? {})) {
    variables.set(variable, { kind: 'dyn' })
    values[variable] = value
  }
  if (fixture.request !== undefined) {
    variables.set('request', REQUEST_TYPE).set('namespaceObject', NAMESPACE_TYPE)
    Object.assign(values, { request: fixture.request, namespaceObject: fixture.namespaceObject })
  }
  if (fixture.authorizer === true) {
    variables.set('authorizer', AUTHORIZER_TYPE).set('authorizer.requestResource', RESOURCE_CHECK_TYPE)
    values['authorizer'] = authorizer
  }
  prepared.set(name, { profile: fixture.profile, variables, values })
}

function answer(on: string, text: string): Answer {
  const { profile, variables, values } = prepared.get(on)!
  const compiled = compile(text, { profile, variables })
  if (!compiled.ok) return compiled.stage === 'program' ? { program: compiled.issues } : { issues: compiled.issues }
  const { program } = compiled
  const result = program.evaluate(values, { left: Number.MAX_SAFE_INTEGER })
  return {
    type: typeText(program.type),
    worst: String(program.worstCost),
    cost: result.cost,
    ...(result.ok ? { value: show(result.value) } : { error: result.error }),
  }
}

/** Beyond 2^53 the last digits are not ours; the largest uint64 is infinite. */
function sameWorst(ours: string, theirs: string): boolean {
  if (theirs === '18446744073709551615') return ours === 'Infinity'
  return Math.abs(Number(ours) - Number(theirs)) <= Number(theirs) * 1e-12
}

for (const fixture of Object.keys(fixtures)) {
  test(`expressions of the fixture ${fixture}`, () => {
    const differences: unknown[] = []
    for (const { on, text, ...expected } of cases) {
      if (on !== fixture) continue
      const found = answer(on, text)
      const same = expected.worst !== undefined && found.worst !== undefined && sameWorst(found.worst, expected.worst)
      const compared = same ? { ...found, worst: expected.worst } : found
      if (!isDeepStrictEqual(compared, expected)) differences.push({ text, found: compared, expected })
    }
    assert.deepEqual(differences, [])
  })
}

test('the corpus is not thinned out', () => {
  assert.ok(cases.length >= 1500)
})
