/** What is asked of both servers, in this order. `$NAME` stands for what an earlier answer gave. */

export interface WireRequest {
  readonly path: string
  /** @default 'GET' */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Names and where their values stand in the answer: `metadata.continue`. */
  readonly keep?: Readonly<Record<string, string>>
  /** The history is forgotten before this one. */
  readonly compacted?: true
  /** Only status and headers are compared: the body is of the server itself. */
  readonly head?: true
  /** Not compared: it makes what others ask for. */
  readonly setup?: true
}

const JSON_TYPE = { 'content-type': 'application/json' }
const accept = (value: string) => ({ accept: value })
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const TABLE_OLD = 'application/json;as=Table;v=v1beta1;g=meta.k8s.io'
const PARTIAL = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'
const PARTIAL_LIST = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const PROTOBUF = 'application/vnd.kubernetes.protobuf'

const MAPS = '/api/v1/namespaces/wire/configmaps'
const PODS = '/api/v1/namespaces/wire/pods'

const create = (path: string, object: object): WireRequest => ({
  method: 'POST',
  path,
  headers: JSON_TYPE,
  body: JSON.stringify(object),
  setup: true,
})

const map = (i: number): WireRequest =>
  create(MAPS, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `map-${String(i).padStart(2, '0')}`, labels: { odd: String(i % 2 === 1) } },
    data: { number: String(i) },
  })

const pod = (name: string): WireRequest =>
  create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'web' } },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'main', image: 'nginx' }] },
  })

const setup: WireRequest[] = [
  create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'wire' } }),
  create('/api/v1/namespaces/wire/serviceaccounts', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
  }),
  ...Array.from({ length: 12 }, (_, i) => map(i)),
  pod('web-0'),
  pod('web-1'),
  create('/api/v1/namespaces/wire/secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'secret' },
    stringData: { key: 'value' },
  }),
  create('/apis/apps/v1/namespaces/wire/deployments', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'nginx' }] } },
    },
  }),
]

const lists: WireRequest[] = [
  { path: MAPS, keep: { RV: 'metadata.resourceVersion', OLD: 'items.0.metadata.resourceVersion' } },
  { path: `${MAPS}?limit=5`, keep: { PAGE2: 'metadata.continue' } },
  { path: `${MAPS}?limit=5&continue=$PAGE2`, keep: { PAGE3: 'metadata.continue' } },
  { path: `${MAPS}?limit=5&continue=$PAGE3` },
  { path: `${MAPS}?continue=$PAGE2` },
  { path: `${MAPS}?limit=5&continue=$PAGE2&resourceVersion=$RV` },
  { path: `${MAPS}?limit=5&continue=$PAGE2&resourceVersion=0` },
  { path: `${MAPS}?limit=5&continue=$PAGE2&resourceVersionMatch=Exact` },
  { path: `${MAPS}?limit=5&continue=bad` },
  {
    path: `${MAPS}?limit=5&continue=${Buffer.from('{"v":"meta.k8s.io/v2","rv":1,"start":"a"}').toString('base64url')}`,
  },
  {
    path: `${MAPS}?limit=5&continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":0,"start":"a"}').toString('base64url')}`,
  },
  { path: `${MAPS}?limit=5&continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":5,"start":""}').toString('base64url')}` },
  {
    path: `${MAPS}?limit=5&continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":5,"start":"../a"}').toString('base64url')}`,
  },
  { path: `${MAPS}?limit=0` },
  { path: `${MAPS}?limit=-1` },
  { path: `${MAPS}?limit=x` },
  { path: `${MAPS}?limit=500` },
  { path: `${MAPS}?limit=12` },
  { path: `${MAPS}?limit=3&labelSelector=odd%3Dtrue` },
  { path: `${MAPS}?labelSelector=odd%3Dtrue` },
  { path: `${MAPS}?labelSelector=odd+in+(true),number` },
  { path: `${MAPS}?labelSelector=%3D%3D` },
  { path: `${MAPS}?labelSelector=a+in+b` },
  { path: `${MAPS}?fieldSelector=metadata.name%3Dmap-03` },
  { path: `${MAPS}?fieldSelector=metadata.name!%3Dmap-03&limit=2` },
  { path: `${MAPS}?fieldSelector=metadata.name%3Dnone` },
  { path: `${MAPS}?fieldSelector=metadata.namespace%3Dwire&limit=1` },
  { path: `/api/v1/configmaps?fieldSelector=metadata.namespace%3Dwire&limit=1` },
  { path: `${MAPS}?fieldSelector=metadata.namespace%3Dother` },
  { path: `${MAPS}?fieldSelector=data.x%3Dy` },
  { path: `${MAPS}?fieldSelector=broken` },
  { path: `${PODS}?fieldSelector=spec.nodeName%3D&limit=1` },
  { path: `${PODS}?fieldSelector=status.phase%3DPending&limit=1` },
  { path: `${PODS}?fieldSelector=spec.unknown%3Da` },
  // resourceVersion × resourceVersionMatch × limit.
  ...['', '0', '$RV', '$OLD', 'x', '-1', '999999999'].flatMap((version) =>
    ['', 'Exact', 'NotOlderThan', 'Sometime'].flatMap((match) =>
      [undefined, '2'].map((limit): WireRequest => {
        const query = new URLSearchParams()
        if (match !== '') query.set('resourceVersionMatch', match)
        if (limit !== undefined) query.set('limit', limit)
        const text = query.toString()
        return { path: `${MAPS}?resourceVersion=${version}${text === '' ? '' : `&${text}`}` }
      }),
    ),
  ),
  { path: `${MAPS}?sendInitialEvents=true` },
  { path: `${MAPS}?timeoutSeconds=5&limit=1` },
  { path: `${MAPS}?timeoutSeconds=x&limit=1` },
  { path: `${MAPS}?allowWatchBookmarks=x&limit=1` },
  { path: `${MAPS}?watch=x&limit=1` },
  { path: `${MAPS}?watch=false&limit=1` },
  { path: `${MAPS}?pretty=true&limit=1` },
  { path: `${MAPS}?pretty&limit=1` },
  { path: `${MAPS}?pretty=false&limit=1` },
  { path: `${MAPS}?pretty=1&limit=1` },
  { path: `${MAPS}?limit=1`, headers: { 'user-agent': 'curl/8' } },
  { path: `${MAPS}?limit=1`, headers: { 'user-agent': 'Mozilla/5.0' } },
  { path: `${MAPS}?limit=1`, headers: { 'accept-encoding': 'gzip' } },
  { path: `/apis/apps/v1/namespaces/wire/deployments` },
  { path: '/api/v1/namespaces/none/configmaps' },
  { path: '/api/v1/namespaces/wire/nothing' },
  { path: '/apis/none/v1/things' },
  { path: '/apis/apps/v9/deployments' },
  { path: '/apis/apps/v1/namespaces/wire/deployments/web/nothing' },
]

const gets: WireRequest[] = [
  { path: `${MAPS}/map-00` },
  { path: `${MAPS}/none` },
  { path: `${MAPS}/map-00?resourceVersion=0` },
  { path: `${MAPS}/map-00?resourceVersion=999999999` },
  { path: `${MAPS}/map-00?resourceVersion=x` },
  { path: `${MAPS}/map-00?pretty=true` },
  { path: `${MAPS}/map-00`, headers: accept('application/yaml') },
  { path: `${MAPS}/map-00`, headers: accept('*/*') },
  { path: `${MAPS}/map-00`, headers: accept('application/*') },
  { path: `${MAPS}/map-00`, headers: accept('text/html') },
  { path: `${MAPS}/map-00`, headers: accept('text/html, application/json;q=0.1') },
  { path: `${MAPS}/map-00`, headers: accept('application/json;q=0.2, application/yaml;q=0.9') },
  { path: `${MAPS}/map-00`, headers: accept('application/yaml;q=0') },
  { path: `${MAPS}/map-00`, headers: accept('application/json;q=x') },
  { path: `${MAPS}/map-00`, headers: accept(`${PROTOBUF}, application/json`) },
  { path: `${MAPS}/map-00`, headers: accept(`application/json;as=Table;v=v1;g=wrong`) },
  { path: `${MAPS}/map-00`, headers: accept(`application/json;as=Table;v=v2;g=meta.k8s.io`) },
  { path: `${MAPS}/map-00`, headers: accept(`application/json;as=Else;v=v1;g=meta.k8s.io`) },
  { path: `${MAPS}/map-00`, headers: accept(`application/json;as=Else;v=v1;g=meta.k8s.io, application/json`) },
  { path: `${MAPS}/map-00`, headers: accept(TABLE) },
  { path: `${MAPS}/map-00`, headers: accept(`${TABLE}, application/json`) },
  { path: `${MAPS}/map-00?includeObject=Object`, headers: accept(TABLE) },
  { path: `${MAPS}/map-00?includeObject=None`, headers: accept(TABLE) },
  { path: `${MAPS}/map-00?includeObject=Metadata`, headers: accept(TABLE) },
  { path: `${MAPS}/map-00?includeObject=Wrong`, headers: accept(TABLE) },
  { path: `${MAPS}/map-00`, headers: accept(TABLE_OLD) },
  { path: `${MAPS}/map-00`, headers: accept(PARTIAL) },
  { path: `${MAPS}/map-00`, headers: accept(PARTIAL_LIST) },
  { path: `${MAPS}?limit=2`, headers: accept(PARTIAL_LIST) },
  { path: `${MAPS}?limit=2`, headers: accept(PARTIAL) },
  { path: `${MAPS}?limit=2`, headers: accept(TABLE) },
  { path: `${MAPS}?limit=2&includeObject=Object`, headers: accept(TABLE) },
  { path: `${MAPS}?limit=2&includeObject=None`, headers: accept(TABLE) },
  { path: `${MAPS}?limit=2`, headers: accept('application/yaml') },
  { path: `${PODS}/web-0`, headers: accept(TABLE) },
  { path: `${PODS}`, headers: accept(TABLE) },
  { path: `${PODS}`, headers: accept(PARTIAL_LIST) },
  { path: `/apis/apps/v1/namespaces/wire/deployments/web/scale`, headers: accept(TABLE) },
  { path: `/apis/apps/v1/namespaces/wire/deployments/web/scale`, headers: accept(PARTIAL) },
  { path: `/apis/apps/v1/namespaces/wire/deployments/web/status`, headers: accept(PARTIAL) },
  { path: `${MAPS}/none`, headers: accept(TABLE) },
  { path: `${MAPS}/none`, headers: accept('application/yaml') },
  { path: `${MAPS}/none`, headers: accept('text/html') },
]

const methods: WireRequest[] = [
  { method: 'HEAD', path: MAPS },
  { method: 'HEAD', path: `${MAPS}/map-00` },
  { method: 'HEAD', path: '/version' },
  { method: 'HEAD', path: '/healthz' },
  { method: 'HEAD', path: '/apis' },
  { method: 'OPTIONS', path: MAPS },
  { method: 'OPTIONS', path: '/version' },
  { method: 'GET', path: MAPS + '?limit=1', headers: { origin: 'https://example.com' } },
  { method: 'OPTIONS', path: MAPS, headers: { origin: 'https://example.com', 'access-control-request-method': 'GET' } },
  { method: 'POST', path: `${MAPS}/map-00`, headers: JSON_TYPE, body: '{}' },
  { method: 'PUT', path: MAPS, headers: JSON_TYPE, body: '{}' },
  { method: 'PATCH', path: MAPS, headers: JSON_TYPE, body: '{}' },
  { method: 'TRACE', path: MAPS },
  { method: 'POST', path: MAPS, headers: { 'content-type': 'text/plain' }, body: '{}' },
  { method: 'POST', path: MAPS, headers: { 'content-type': 'application/x-unknown' }, body: '{}' },
  { method: 'POST', path: MAPS, headers: { 'content-type': 'not a type/;;' }, body: '{}' },
  { method: 'POST', path: MAPS, headers: JSON_TYPE, body: '' },
  { method: 'POST', path: MAPS, headers: JSON_TYPE, body: '{' },
  { method: 'POST', path: MAPS, headers: JSON_TYPE, body: '[]' },
  { method: 'POST', path: MAPS, headers: JSON_TYPE, body: '{"kind":"Pod","apiVersion":"v1"}' },
  { method: 'PATCH', path: `${MAPS}/map-00`, headers: JSON_TYPE, body: '{}' },
  { method: 'PATCH', path: `${MAPS}/map-00`, headers: { 'content-type': 'application/merge-patch+json' }, body: '{' },
  { method: 'PATCH', path: `${MAPS}/map-00`, headers: { 'content-type': 'application/json-patch+json' }, body: '{}' },
  { method: 'DELETE', path: `${MAPS}/none` },
  { method: 'DELETE', path: `${MAPS}/map-11?dryRun=All` },
  { method: 'DELETE', path: `${MAPS}?dryRun=All&labelSelector=odd%3Dtrue` },
  { method: 'DELETE', path: `${MAPS}?dryRun=All&limit=2` },
  { path: '/version', head: true },
  { path: '/version/', head: true },
  { path: '/', head: true },
  { path: '/nothing' },
  { path: '/api', head: true },
  { path: '/api/', head: true },
  { path: '/apis/', head: true },
  { path: '/api/v2' },
  { path: '/api/v1/' },
  { path: '/healthz' },
  { path: '/livez' },
  { path: '/readyz' },
  { path: '/healthz/ping' },
  { path: '/livez/ping' },
  { path: '/readyz/ping' },
  { path: '/readyz/nothing' },
  { path: '/livez?verbose', head: true },
  { path: '/livez?exclude=nothing', head: true },
  { path: '/livez?verbose&exclude=ping', head: true },
  { method: 'POST', path: '/healthz' },
  { method: 'POST', path: '/version' },
]

const discovery: WireRequest[] = [
  { path: '/api', headers: accept(AGGREGATED), keep: { TAG: 'header:etag' } },
  { path: '/api', headers: { ...accept(AGGREGATED), 'if-none-match': '$TAG' } },
  { path: '/apis', headers: accept(AGGREGATED), keep: { TAGS: 'header:etag' } },
  { path: '/apis', headers: { ...accept(AGGREGATED), 'if-none-match': '$TAGS' } },
  { path: '/apis', headers: { ...accept(AGGREGATED), 'if-none-match': '"old"' } },
  { path: '/apis', headers: accept('application/json') },
  { path: '/apis', headers: accept('application/yaml') },
  { path: '/apis', headers: accept('text/html') },
  { path: '/apis', headers: accept(`${AGGREGATED.replace('v2', 'v2beta1')},application/json`) },
  { path: '/apis', headers: accept(`${AGGREGATED.replace('v2', 'v9')},application/json`) },
  { path: '/apis', headers: accept(AGGREGATED.replace('v2', 'v9')) },
  { path: '/api/v1', headers: accept('application/json') },
  { path: '/apis/apps' },
  { path: '/apis/apps/v1' },
  { path: '/apis/autoscaling' },
  { path: '/apis/apiregistration.k8s.io' },
  { path: '/apis/apiregistration.k8s.io/v1' },
  { path: '/apis/apiextensions.k8s.io/v1' },
  { path: '/apis/batch/v1' },
  { path: '/apis/policy/v1' },
  { path: '/apis/none' },
  { path: '/apis/apps/v1', headers: accept('application/yaml') },
  { path: '/openapi/v3', head: true },
  { path: '/openapi/v3/apis/none/v1' },
  { path: '/openapi/v3', headers: accept('text/html') },
  { path: '/openapi/v2', head: true },
  { path: '/openapi/v2', headers: accept('application/json'), head: true },
  { path: '/openapi/v2', headers: accept('application/com.github.proto-openapi.spec.v2@v1.0+protobuf'), head: true },
  { path: '/openapi/v2', headers: accept('application/com.github.proto-openapi.spec.v2.v1.0+protobuf'), head: true },
  { path: '/openapi/v2', headers: accept('text/html') },
  { path: '/openid/v1/jwks', head: true },
  { path: '/.well-known/openid-configuration', head: true },
  { path: '/apis/apiregistration.k8s.io/v1/apiservices', headers: accept('application/json') },
  { path: '/apis/apiregistration.k8s.io/v1/apiservices', headers: accept(TABLE) },
]

const protobuf: WireRequest[] = [
  { path: `${MAPS}/map-00`, headers: accept(PROTOBUF) },
  { path: `${MAPS}?labelSelector=odd%3Dfalse`, headers: accept(PROTOBUF) },
  { path: `${MAPS}/none`, headers: accept(PROTOBUF) },
  { path: `${PODS}/web-0`, headers: accept(PROTOBUF) },
  { path: '/apis/apps/v1/namespaces/wire/deployments', headers: accept(PROTOBUF) },
  {
    path: `${MAPS}?labelSelector=odd%3Dfalse`,
    headers: accept(`${PARTIAL_LIST.replace('application/json', PROTOBUF)}`),
  },
  { path: `${MAPS}/map-00`, headers: accept(`${PARTIAL.replace('application/json', PROTOBUF)}`) },
  { path: `${MAPS}?labelSelector=odd%3Dfalse`, headers: accept(`${TABLE.replace('application/json', PROTOBUF)}`) },
  { path: '/apis', headers: accept(PROTOBUF) },
  { path: '/api/v1', headers: accept(PROTOBUF) },
  { path: `${MAPS}?watch=true&timeoutSeconds=1`, headers: accept(`${PROTOBUF};stream=watch`) },
  { path: `${MAPS}?watch=true&timeoutSeconds=1&resourceVersion=$RV`, headers: accept(PROTOBUF) },
  { path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', headers: accept(PROTOBUF) },
  { path: '/apis/apiregistration.k8s.io/v1/apiservices/v1.apps', headers: accept(PROTOBUF) },
]

const watch = (query: string, type = 'application/json', path = MAPS): WireRequest => ({
  path: `${path}?watch=true&timeoutSeconds=1${query === '' ? '' : `&${query}`}`,
  headers: accept(type),
})

const watches: WireRequest[] = [
  watch('fieldSelector=metadata.name%3Dmap-00'),
  watch('fieldSelector=metadata.name%3Dmap-00&resourceVersion=0'),
  watch('resourceVersion=$RV'),
  watch('resourceVersion=$OLD'),
  watch('resourceVersion=$OLD&labelSelector=odd%3Dtrue'),
  watch('resourceVersion=$OLD&fieldSelector=metadata.name%3Dmap-03'),
  watch('resourceVersion=999999999'),
  watch('resourceVersion=x'),
  watch('resourceVersion=-1'),
  watch('labelSelector=%3D%3D'),
  watch('fieldSelector=data.x%3Dy'),
  watch('resourceVersionMatch=NotOlderThan'),
  watch('resourceVersionMatch=Exact&resourceVersion=$RV'),
  watch('sendInitialEvents=true'),
  watch('sendInitialEvents=true&resourceVersionMatch=Exact'),
  watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&labelSelector=odd%3Dtrue'),
  watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=odd%3Dtrue'),
  watch(
    'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=$RV&fieldSelector=metadata.name%3Dmap-00',
  ),
  watch(
    'sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=$OLD&fieldSelector=metadata.name%3Dmap-03',
  ),
  watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=999999999'),
  watch(
    'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dmap-00',
    PARTIAL,
  ),
  watch(
    'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dmap-00',
    TABLE,
  ),
  watch('fieldSelector=metadata.name%3Dmap-00', PARTIAL),
  watch('fieldSelector=metadata.name%3Dmap-00', PARTIAL_LIST),
  watch('fieldSelector=metadata.name%3Dmap-00', TABLE),
  watch('fieldSelector=metadata.name%3Dmap-00&includeObject=Object', TABLE),
  watch('fieldSelector=metadata.name%3Dmap-00&includeObject=None', TABLE),
  watch('labelSelector=odd%3Dtrue&limit=2', TABLE),
  watch('fieldSelector=metadata.name%3Dmap-00', 'application/yaml'),
  watch('fieldSelector=metadata.name%3Dmap-00', 'text/html'),
  watch('fieldSelector=metadata.name%3Dmap-00', 'application/json;stream=watch'),
  watch('fieldSelector=metadata.name%3Dmap-00', '*/*'),
  watch('continue=abc'),
  watch('limit=1&fieldSelector=metadata.name%3Dmap-00'),
  watch('', 'application/json', '/api/v1/namespaces/wire/pods'),
  watch('', 'application/json', '/api/v1/namespaces/wire/nothing'),
  { path: '/api/v1/namespaces/wire/configmaps/map-00?watch=true&timeoutSeconds=1' },
  { path: '/api/v1/watch/namespaces/wire/configmaps?timeoutSeconds=1&fieldSelector=metadata.name%3Dmap-00' },
  { path: '/api/v1/watch/namespaces/wire/configmaps/map-00?timeoutSeconds=1' },
  { path: '/api/v1/watch/configmaps?timeoutSeconds=1&fieldSelector=metadata.name%3Dmap-00' },
  { path: '/api/v1/watch/' },
  { path: '/apis/apps/v1/watch/namespaces/wire/deployments?timeoutSeconds=1' },
  { path: '/apis/apps/v1/watch/nothing?timeoutSeconds=1' },
  { path: `${MAPS}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dmap-00` },
  { path: `${MAPS}?watch&timeoutSeconds=1&fieldSelector=metadata.name%3Dmap-00` },
]

/** After the history is gone. */
const compacted: WireRequest[] = [
  { path: `${MAPS}?limit=5`, keep: { LATE: 'metadata.continue' } },
  { method: 'DELETE', path: `${MAPS}/map-10`, setup: true },
  { method: 'DELETE', path: `${MAPS}/map-09`, setup: true },
  { path: `${MAPS}?limit=5&continue=$LATE`, compacted: true, keep: { FRESH: 'metadata.continue' } },
  { path: `${MAPS}?limit=5&continue=$FRESH` },
  { path: `${MAPS}?resourceVersion=$OLD&resourceVersionMatch=Exact` },
  { path: `${MAPS}?resourceVersion=$OLD&resourceVersionMatch=NotOlderThan&limit=1` },
]

/** Tables of every resource that can be listed. */
export function tableRequests(resources: readonly { path: string; namespaced: boolean }[]): WireRequest[] {
  // Upstream keeps the date of a migration in a ConfigMap, which comes when it comes.
  const steady = resources.filter(({ path }) => path !== '/api/v1/configmaps')
  // Its controllers may have told something while they started.
  const events: WireRequest = { method: 'DELETE', path: '/api/v1/namespaces/default/events', setup: true }
  return [events, ...steady.map(({ path }) => ({ path: `${path}?limit=1`, headers: accept(TABLE) }))]
}

export const requests: readonly WireRequest[] = [
  ...setup,
  ...lists,
  ...gets,
  ...methods,
  ...discovery,
  ...watches,
  ...protobuf,
  ...compacted,
]
