/** Raw requests with what the real kube-apiserver answers. */
import type { TestKubelet } from './kubelet.ts'
import { PODS, SERVICES, type Admin, type Answer } from './world.ts'

export interface Scene {
  readonly name: string
  readonly run: (admin: Admin) => Promise<unknown>
  readonly expected: unknown
}

const NODES = '/api/v1/nodes'
const UPGRADE = { connection: 'Upgrade', upgrade: 'SPDY/3.1' }
const WEBSOCKET = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

/** Code, reason and message of a Status. */
function status({ code, text }: Answer): unknown[] {
  const { reason = '', message = '' } = JSON.parse(text) as { reason?: string; message?: string }
  return [code, reason, message]
}

interface Told {
  readonly method: string
  readonly uri: string
  readonly host: string
  readonly headers: Record<string, string[]>
  readonly body: string
}

/** What a page says that it was asked. */
function told({ code, text }: Answer): unknown[] {
  const { method, uri, headers, body } = JSON.parse(text) as Told
  return [code, method, uri, headers['X-Forwarded-Uri']?.[0], body]
}

export function requests(kubelet: TestKubelet, address: string): readonly Scene[] {
  const scenes: Scene[] = []
  const refused = (path: string, expected: unknown[], headers: Record<string, string> = {}, method = 'GET') =>
    scenes.push({
      name: `${method} ${path} ${JSON.stringify(headers)}`,
      run: async (admin) => status(await admin.ask(method, path, undefined, headers)),
      expected,
    })
  const page = (path: string, expected: unknown[], method = 'GET', body?: string) =>
    scenes.push({
      name: `${method} ${path}`,
      run: async (admin) => told(await admin.ask(method, path, body)),
      expected,
    })
  const seen = (path: string, expected: unknown, headers: Record<string, string> = {}) =>
    scenes.push({
      name: `GET ${path} ${JSON.stringify(headers)}`,
      run: async (admin) => {
        const answer = await admin.ask('GET', path, undefined, headers)
        const { location, 'content-type': type } = answer.headers
        return [answer.code, location, type, answer.text]
      },
      expected,
    })

  const bad = (message: string) => [400, 'BadRequest', message]
  for (const verb of ['exec', 'attach']) {
    const ask = `${verb}?command=true&stdout=true`
    refused(`${PODS}/web/${ask}`, bad('Upgrade request required'), {}, 'POST')
    refused(`${PODS}/web/${ask}&dryRun=All`, bad('dryRun is not supported'), UPGRADE, 'POST')
    refused(`${PODS}/none/${ask}`, [404, 'NotFound', 'pods "none" not found'], UPGRADE, 'POST')
    refused(
      `${PODS}/two/${ask}`,
      bad('a container name must be specified for pod two, choose one of: [main side]'),
      UPGRADE,
      'POST',
    )
    refused(`${PODS}/two/${ask}&container=third`, bad('container third is not valid for pod two'), UPGRADE, 'POST')
    refused(`${PODS}/pending/${ask}`, bad('pod pending does not have a host assigned'), UPGRADE, 'POST')
    refused(`${PODS}/lost/${ask}`, [404, 'NotFound', 'pods "nowhere" not found'], UPGRADE, 'POST')
    refused(
      `${PODS}/bare/${ask}`,
      [500, '', 'no preferred addresses found; known addresses: [{InternalDNS bare.internal}]'],
      UPGRADE,
      'POST',
    )
    refused(
      `${PODS}/dead/${ask}`,
      [500, '', `error dialing backend: dial tcp ${address}:1: connect: connection refused`],
      UPGRADE,
      'POST',
    )
    refused(
      `${PODS}/web/${ask}`,
      [405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource'],
      {},
      'PUT',
    )
    refused(
      `${PODS}/web/${verb}/more?command=true`,
      [404, 'NotFound', 'the server could not find the requested resource'],
      UPGRADE,
      'POST',
    )
  }
  refused(
    `${PODS}/dead/portforward`,
    [500, '', `error dialing backend: dial tcp ${address}:1: connect: connection refused`],
    UPGRADE,
    'POST',
  )
  refused(
    `${PODS}/web/portforward?ports=80,x`,
    bad('cannot convert to []int32: strconv.ParseUint: parsing "x": invalid syntax'),
    UPGRADE,
    'POST',
  )
  refused(
    `${PODS}/web/portforward?ports=65536`,
    bad('cannot convert to []int32: strconv.ParseUint: parsing "65536": value out of range'),
    UPGRADE,
    'POST',
  )
  refused(`${PODS}/lost/portforward`, [404, 'NotFound', 'pods "nowhere" not found'], UPGRADE, 'POST')
  refused(`${PODS}/lost/log?limitBytes=1`, [404, 'NotFound', 'pods "nowhere" not found'])
  refused(`${PODS}/web/portforward`, bad('Upgrade request required'), {}, 'POST')
  // An older protocol of WebSocket goes to the kubelet as it is.
  seen(
    `${PODS}/web/exec?command=true`,
    [400, undefined, 'text/plain; charset=utf-8', 'you must specify at least 1 of stdin, stdout, stderr\n'],
    WEBSOCKET,
  )

  for (const [query, expected] of [
    [
      'tailLines=-1',
      'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    ],
    ['limitBytes=0', 'PodLogOptions "web" is invalid: limitBytes: Invalid value: 0: must be greater than 0'],
    ['sinceSeconds=0', 'PodLogOptions "web" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0'],
    [
      'sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z',
      'PodLogOptions "web" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
    ],
    ['stream=Stdout', 'PodLogOptions "web" is invalid: stream: Forbidden: may not be specified'],
  ] as const)
    refused(`${PODS}/web/log?${query}`, [422, 'Invalid', expected])
  refused(`${PODS}/web/log?tailLines=x`, bad('strconv.ParseInt: parsing "x": invalid syntax'))
  refused(
    `${PODS}/web/log?sinceTime=x`,
    bad('parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
  )
  refused(`${PODS}/two/log`, bad('a container name must be specified for pod two, choose one of: [main side]'))
  refused(`${PODS}/web/log?container=x`, bad('container x is not valid for pod web'))
  refused(`${PODS}/web/log?previous=true`, bad('previous terminated container "main" in pod "web" not found\n'))
  refused(`${PODS}/web/log?tailLines=404`, [
    404,
    'NotFound',
    'the server could not find the requested resource ( pods/log web)',
  ])
  refused(`${PODS}/web/log?tailLines=500`, [
    500,
    'InternalError',
    'Internal error occurred: the runtime is not there\n',
  ])
  refused(`${PODS}/dead/log`, [
    500,
    '',
    `Get "https://${address}:1/containerLogs/x/dead/main": dial tcp ${address}:1: connect: connection refused`,
  ])
  seen(`${PODS}/pending/log`, [204, undefined, undefined, ''])
  seen(`${PODS}/web/log?follow=false&timestamps=&sinceTime=2026-01-01T02:00:00.5%2B02:00`, [
    200,
    undefined,
    'text/plain',
    '/containerLogs/x/web/main?sinceTime=2026-01-01T00%3A00%3A00Z&timestamps=true\n',
  ])

  const web = `${PODS}/web/proxy`
  page(`${web}/a/b?q=1&q=%20`, [200, 'GET', '/a/b?q=1&q=%20', `${web}/a/b`, ''])
  page(`${web}/`, [200, 'GET', '/', `${web}/`, ''])
  page(`${web}/a/`, [200, 'GET', '/a/', `${web}/a/`, ''])
  page(`${web}/a%2Fb/..%20c/%C3%A9(d)'!*`, [
    200,
    'GET',
    '/a/b/..%20c/%C3%A9%28d%29%27%21%2A',
    `${web}/a/b/..%20c/%C3%A9%28d%29%27%21%2A`,
    '',
  ])
  page(`${web}/x/../../../../y`, [200, 'GET', '/y', '/api/v1/namespaces/x/y', ''])
  page(`${web}/post`, [200, 'POST', '/post', `${web}/post`, 'body'], 'POST', 'body')
  page(`${web}/put?status=418`, [418, 'PUT', '/put?status=418', `${web}/put`, 'body'], 'PUT', 'body')
  page(`${web}/gone`, [200, 'DELETE', '/gone', `${web}/gone`, ''], 'DELETE')
  page(`${PODS}/web:${kubelet.page}/proxy/x`, [200, 'GET', '/x', `${PODS}/web:${kubelet.page}/proxy/x`, ''])
  page(`${PODS}/http:web:${kubelet.page}/proxy/x`, [200, 'GET', '/x', `${PODS}/http:web:${kubelet.page}/proxy/x`, ''])
  seen(`${web}?q=1`, [301, `${web}/?q=1`, undefined, ''])
  seen(`${web}/x?to=/login?a=1`, [302, `${web}/login?a=1`, undefined, ''])
  seen(`${web}/x?to=relative`, [302, 'relative', undefined, ''])
  seen(`${web}/x?to=http://${address}:${kubelet.page}/back`, [302, `${web}/back`, undefined, ''])
  seen(`${web}/x?to=https://elsewhere.example/there`, [302, 'https://elsewhere.example/there', undefined, ''])
  seen(`${web}/x?html=${encodeURIComponent('<a href="/b">b</a><img src="c.png"><script>"<a href=/d>"</script>')}`, [
    200,
    undefined,
    'text/html; charset=utf-8',
    `<a href="${web}/b">b</a><img src="c.png"><script>"<a href=/d>"</script>`,
  ])
  refused(`${PODS}/ftp:web:80/proxy/x`, bad('invalid pod request "ftp:web:80"'))
  refused(`${PODS}/none/proxy/x`, [404, 'NotFound', 'pods "none" not found'])
  refused(`${PODS}/loop/proxy/x`, bad('address not allowed'))
  refused(`${PODS}/pending/proxy/x`, bad('address not allowed'))
  refused(`${PODS}/web:1/proxy/x`, [
    503,
    'ServiceUnavailable',
    `error trying to reach service: dial tcp ${address}:1: connect: connection refused`,
  ])
  page(`${web}/x?path=/y&to=`, [200, 'GET', '/x?path=/y&to=', `${web}/x`, ''])
  seen(`${web}/ws?q=1`, [101, undefined, undefined, ''], WEBSOCKET)
  scenes.push({
    name: 'an upgrade loses its query',
    run: async (admin) => (await admin.ask('GET', `${web}/ws?q=1`, undefined, WEBSOCKET)).headers['x-uri'],
    expected: '/ws',
  })

  const service = `${SERVICES}/web`
  page(`${service}:http/proxy/x?y`, [200, 'GET', '/x?y', `${service}:http/proxy/x`, ''])
  page(`${service}:80/proxy/x`, [200, 'GET', '/x', `${service}:80/proxy/x`, ''])
  seen(`${SERVICES}/https:web:443/proxy/x`, [401, undefined, 'text/plain; charset=utf-8', 'Unauthorized\n'])
  refused(`${service}/proxy/x`, [503, 'ServiceUnavailable', 'no endpoints available for service "web"'])
  refused(`${service}:81/proxy/x`, [503, 'ServiceUnavailable', 'no service port 81 found for service "web"'])
  refused(`${service}:nope/proxy/x`, [503, 'ServiceUnavailable', 'no endpoints available for service "web"'])
  refused(`${SERVICES}/empty:http/proxy/x`, [503, 'ServiceUnavailable', 'no endpoints available for service "empty"'])
  refused(`${SERVICES}/any:http/proxy/x`, [503, 'ServiceUnavailable', 'no endpoints available for service "any"'])
  refused(`${SERVICES}/none:80/proxy/x`, [404, 'NotFound', 'services "none" not found'])
  refused(`${SERVICES}/none:http/proxy/x`, [503, 'ServiceUnavailable', 'no endpoints available for service "none"'])
  refused(`${SERVICES}/a:b:c:d/proxy/x`, bad('invalid service request "a:b:c:d"'))

  page(`${NODES}/one/proxy/stats?x=1`, [200, 'GET', '/stats?x=1', `${NODES}/one/proxy/stats`, ''])
  page(
    `${NODES}/one:${kubelet.port}/proxy/run`,
    [200, 'POST', '/run', `${NODES}/one:${kubelet.port}/proxy/run`, 'b'],
    'POST',
    'b',
  )
  page(`${NODES}/http:one:${kubelet.page}/proxy/x`, [200, 'GET', '/x', `${NODES}/http:one:${kubelet.page}/proxy/x`, ''])
  refused(`${NODES}/none/proxy/x`, [404, 'NotFound', 'nodes "none" not found'])
  refused(`${NODES}/own/proxy/x`, bad('address not allowed'))
  refused(`${NODES}/bare/proxy/x`, [
    500,
    '',
    'no preferred addresses found; known addresses: [{InternalDNS bare.internal}]',
  ])
  refused(`${NODES}/dead/proxy/x`, [
    503,
    'ServiceUnavailable',
    `error trying to reach service: dial tcp ${address}:1: connect: connection refused`,
  ])
  scenes.push({
    name: 'credentials stay here',
    run: async (admin) => {
      const { text } = await admin.ask('GET', `${web}/x`, undefined, {
        'impersonate-user': 'admin',
        'impersonate-group': 'system:masters',
        cookie: 'a=b',
        'x-own': '1',
      })
      const { headers, host } = JSON.parse(text) as Told
      const names = Object.keys(headers).filter(
        (name) => name !== 'Accept-Encoding' && name !== 'Connection' && name !== 'User-Agent',
      )
      return [names.sort(), host === admin.url.host]
    },
    expected: [['Cookie', 'X-Forwarded-For', 'X-Forwarded-Uri', 'X-Own'], true],
  })
  return scenes
}
