import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DistributedClaim } from './distributed.ts'

const claims = (rest: object) => ({ sub: 'x', ...rest })

function claim(answer: { status: number; body: string }, asked: unknown[] = []) {
  return new DistributedClaim({
    claim: 'groups',
    audiences: ['one'],
    dialler: {
      call: (options) => {
        asked.push([options.destination, options.query, options.headers])
        return Promise.resolve({ status: answer.status, headers: {}, body: Buffer.from(answer.body) })
      },
    },
    now: () => 0,
  })
}

test('claims that stand in the token are the answer, without a call', () => {
  const asked: unknown[] = []
  const distributed = claim({ status: 200, body: '' }, asked)
  for (const each of [
    claims({}),
    claims({ groups: [], _claim_names: { groups: 'a' } }),
    claims({ _claim_names: { other: 'a' }, _claim_sources: {} }),
    claims({ _claim_names: { groups: 'a' }, _claim_sources: { a: { JWT: 'x' } } }),
  ])
    assert.equal(distributed.expand(each), each)
  assert.deepEqual(asked, [])
})

test('what is malformed is refused in upstream’s words', () => {
  const distributed = claim({ status: 200, body: '' })
  const expand = (names: unknown, sources?: unknown) => () =>
    distributed.expand(claims({ _claim_names: names, ...(sources !== undefined && { _claim_sources: sources }) }))
  assert.throws(expand(['groups']), /^Error: oidc: error parsing distributed claim names: /)
  assert.throws(expand({ groups: 1 }), /^Error: oidc: error parsing distributed claim names: /)
  assert.throws(expand({ groups: 'a' }), { message: 'oidc: no claim sources' })
  assert.throws(expand({ groups: 'a' }, 'x'), /^Error: oidc: could not parse claim sources: /)
  assert.throws(expand({ groups: 'a' }, { a: { endpoint: 1 } }), /^Error: oidc: could not parse claim sources: /)
  assert.throws(expand({ groups: 'toString' }, {}), {
    message: 'id token _claim_names contained a source toString missing in _claims_sources',
  })
})

test('an endpoint is called with its token; what it answers must be one', async () => {
  const asked: unknown[] = []
  const at = (distributed: DistributedClaim, endpoint: string) => async () =>
    distributed.expand(
      claims({ _claim_names: { groups: 'a' }, _claim_sources: { a: { endpoint, access_token: 'open\r\nX: y' } } }),
    )
  await assert.rejects(at(claim({ status: 200, body: 'text' }, asked), 'https://h/p?q=1'), {
    message: 'getting untrusted issuer from endpoint https://h/p?q=1 failed for claim "groups": malformed token',
  })
  assert.deepEqual(asked, [[{ url: 'https://h/p?q=1' }, 'q=1', { authorization: 'Bearer openX: y' }]])
  await assert.rejects(at(claim({ status: 404, body: '' }), 'https://h/'), {
    message: 'while getting distributed claim "groups": error while getting distributed claim JWT: 404',
  })
  await assert.rejects(at(claim({ status: 200, body: '' }), 'nowhere'), /unsupported protocol scheme/)
})
