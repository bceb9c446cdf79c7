import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import fc from 'fast-check'
import { StatusError } from '../../machinery/status.ts'
import { acceptsGzip, negotiate } from './negotiation.ts'
import { managerOf } from './parameters.ts'
import { Query } from './query.ts'
import { decodePath, isClean, isLongRunning, parseRequest } from './request.ts'
import { after } from './timers.ts'
import { warningHeader } from './warnings.ts'

const read = (method: string, path: string, query = '') => {
  const { verb, resource } = parseRequest(method, path, new Query(query))
  if (resource === undefined) return verb
  const { group, version, namespace, resource: plural, name, subresource } = resource
  return [verb, group, version, namespace, plural, name, subresource].join('|')
}

test('what a request is about', () => {
  const cases: [string, string, string, string][] = [
    ['GET', '/api/v1/pods', '', 'list||v1||pods||'],
    ['GET', '/api/v1/pods', 'watch=true', 'watch||v1||pods||'],
    ['GET', '/api/v1/pods', 'watch=0', 'list||v1||pods||'],
    ['GET', '/api/v1/namespaces/a/pods', 'fieldSelector=metadata.name%3Dx', 'list||v1|a|pods|x|'],
    ['GET', '/api/v1/namespaces/a/pods', 'fieldSelector=metadata.name!%3Dx', 'list||v1|a|pods||'],
    ['GET', '/api/v1/namespaces/a/pods/x/log', '', 'get||v1|a|pods|x|log'],
    ['GET', '/api/v1/namespaces/a', '', 'get||v1|a|namespaces|a|'],
    ['PUT', '/api/v1/namespaces/a/finalize', '', 'update||v1|a|namespaces|a|finalize'],
    ['GET', '/api/v1/namespaces', '', 'list||v1||namespaces||'],
    ['POST', '/apis/apps/v1/namespaces/a/deployments', '', 'create|apps|v1|a|deployments||'],
    ['DELETE', '/apis/apps/v1/namespaces/a/deployments', '', 'deletecollection|apps|v1|a|deployments||'],
    ['DELETE', '/apis/apps/v1/namespaces/a/deployments/x', '', 'delete|apps|v1|a|deployments|x|'],
    ['PATCH', '/apis/apps/v1/namespaces/a/deployments/x/scale', '', 'patch|apps|v1|a|deployments|x|scale'],
    ['GET', '/api/v1/watch/namespaces/a/pods', '', 'watch||v1|a|pods||'],
    ['GET', '/api/v1/watch/namespaces/a/pods/x', '', 'watch||v1|a|pods|x|'],
    ['GET', '/apis/apps/v1', '', 'get'],
    ['GET', '/apis', '', 'get'],
    ['POST', '/healthz', '', 'post'],
  ]
  for (const [method, path, query, wanted] of cases)
    assert.equal(read(method, path, query), wanted, `${method} ${path}`)
  assert.throws(() => read('GET', '/api/v1/watch'), StatusError)
})

test('no path, however escaped, gives a segment with a slash, or leaves its place', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', '/', '%2F', '%2f', '..', '%2e%2e', '.', '%00', '%'), { maxLength: 12 }),
      (parts) => {
        let path: string
        try {
          path = decodePath(`/api/v1/namespaces/${parts.join('')}`)
        } catch (error) {
          assert.ok(error instanceof StatusError)
          return
        }
        if (!isClean(path)) return
        const { resource } = parseRequest('GET', path, new Query(''))
        for (const part of [resource?.namespace, resource?.name, resource?.resource, resource?.subresource]) {
          assert.ok(
            part === undefined || (!part.includes('/') && part !== '.' && part !== '..' && !part.includes('\0')),
            path,
          )
        }
      },
    ),
  )
})

test('which requests run long', () => {
  const long = (path: string, query = '') => isLongRunning(parseRequest('GET', path, new Query(query)))
  assert.equal(long('/api/v1/pods', 'watch=1'), true)
  assert.equal(long('/api/v1/namespaces/a/pods/x/log'), true)
  assert.equal(long('/api/v1/pods'), false)
  assert.equal(long('/version'), false)
})

test('queries as Go reads them', () => {
  const query = new Query('a=1&a=2&b=x%20y+z&broken=%zz&c&limit=5&no=0')
  assert.deepEqual(
    [query.all('a'), query.get('b'), query.get('broken'), query.get('c')],
    [['1', '2'], 'x y z', undefined, ''],
  )
  assert.deepEqual(
    [query.integer('limit'), query.flag('c'), query.flag('no'), query.flag('absent')],
    [5, true, false, undefined],
  )
  assert.throws(() => new Query('limit=many').integer('limit'), /strconv\.ParseInt: parsing "many": invalid syntax/)
  assert.equal(new Query('__proto__=x').get('__proto__'), 'x')
})

test('Accept headers', () => {
  const can = { table: true, metadata: true }
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  const text = (accept: string, what = can) => {
    try {
      const { encoding, as, version } = negotiate(accept, what)
      return [encoding, as, version].filter((part) => part !== undefined && part !== '').join(' ')
    } catch (error) {
      return (error as StatusError).reason
    }
  }
  const cases: [string, string][] = [
    ['', 'json'],
    ['*/*', 'json'],
    ['application/yaml', 'yaml'],
    ['application/yaml;q=0.5, application/json;q=0.9', 'json'],
    ['application/json;q=0.5, application/yaml', 'yaml'],
    ['application/json;q=0, application/yaml', 'yaml'],
    [`${table},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, 'json Table v1'],
    ['application/vnd.kubernetes.protobuf,application/json', 'json'],
    ['application/vnd.kubernetes.protobuf', 'protobuf'],
    [
      'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
      'protobuf PartialObjectMetadata v1',
    ],
    ['application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io', 'NotAcceptable'],
    ['application/json;q=wrong', 'json'],
    ['application/yaml;q=0', 'yaml'],
    ['application/*', 'NotAcceptable'],
    ['text/html', 'NotAcceptable'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'json'],
    ['application/json;as=Table;v=v1;g=other', 'NotAcceptable'],
    ['application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1', 'json PartialObjectMetadata v1'],
  ]
  for (const [accept, wanted] of cases) assert.equal(text(accept), wanted, accept)
  assert.equal(text(`${table},application/json`, { table: false, metadata: false }), 'json')
  assert.equal(text(table, { table: false, metadata: false }), 'NotAcceptable')
  assert.deepEqual(['gzip', 'br, gzip;q=0.5', 'gzip;q=0', 'br', ''].map(acceptsGzip), [true, true, false, false, false])
})

test('warnings are escaped, without repeats, bounded, and never break a header', () => {
  assert.equal(warningHeader([]), undefined)
  assert.equal(warningHeader(['a "b" \\', 'a "b" \\']), '299 - "a \\"b\\" \\\\"')
  assert.equal(warningHeader(['a\r\nx: y']), '299 - "a x: y"')
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 600 }), { minLength: 1, maxLength: 40 }), (texts) => {
      const header = warningHeader(texts)!
      assert.ok(header.length <= 8192)
      assert.match(header, /^[\t\u0020-\u007e\u0080-\u00ff]*$/)
    }),
  )
})

test('a manager that does not name itself is named after its program', () => {
  assert.equal(managerOf('kubectl/v1.37.1 (linux/amd64)'), 'kubectl')
  assert.equal(managerOf('x'.repeat(200))!.length, 128)
  assert.equal(managerOf(undefined), undefined)
})

test('timers fire once, in time, and can be cancelled', async () => {
  const fired: string[] = []
  after(10, () => fired.push('a'))
  after(10, () => fired.push('b'))()
  const cancel = after(10_000, () => fired.push('never'))
  await sleep(600)
  assert.deepEqual(fired, ['a'])
  cancel()
})
