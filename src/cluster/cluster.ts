/** An embedded cluster: API server and controllers over one range of a store. Host and virtual clusters are the same code. */
import { createApi, type Registry } from '../apiserver/registry/api.ts'
import { createConnectors, type ConnectorOptions } from '../apiserver/connect/connectors.ts'
import type { Elsewhere } from '../apiserver/connect/elsewhere.ts'
import type { LogSource } from '../apiserver/connect/logs.ts'
import { rangeObjects } from '../apiserver/connect/objects.ts'
import { defaultPlugins } from '../apiserver/admission/plugins.ts'
import { Aggregator } from '../apiserver/aggregation/aggregator.ts'
import { keepTrust } from '../apiserver/aggregation/trust.ts'
import { auditor } from '../apiserver/audit/auditor.ts'
import type { AuditPolicy } from '../apiserver/audit/policy.ts'
import type { AuditOutput } from '../apiserver/audit/record.ts'
import { legacyToken, type LegacyAccount } from '../apiserver/authn/legacy-token.ts'
import type { PlainTokenSource, TokenSource } from '../apiserver/authn/bearer.ts'
import type { CheckedAuthentication } from '../apiserver/authn/oidc/config.ts'
import { BearerTokens } from './bearer.ts'
import { authenticator } from '../apiserver/authn/authenticator.ts'
import { boundObjects } from '../apiserver/authn/bound.ts'
import { frontProxyDefaults, type FrontProxyOptions } from '../apiserver/authn/front-proxy.ts'
import { issuerConfiguration, keySet, tokenKey } from '../apiserver/authn/jwt.ts'
import { ServiceAccountTokens } from '../apiserver/authn/tokens.ts'
import { withNodes } from '../apiserver/authz/node/authorizer.ts'
import { rbacAuthorizer } from '../apiserver/authz/rbac.ts'
import { bootstrapEntries, DEFAULT_SERVICE_CIDR } from '../apiserver/bootstrap/entries.ts'
import { rbacObjects } from '../apiserver/bootstrap/rbac.ts'
import type { UserInfo } from '../apiserver/contract.ts'
import { startCustomResources } from '../apiserver/crd/manager.ts'
import type { Dialler, ServiceResolver } from '../apiserver/dial/contract.ts'
import { reach, type ReachOptions } from '../apiserver/dial/reach.ts'
import { endpointResolver, rangeServices } from '../apiserver/dial/services.ts'
import { createDiscovery } from '../apiserver/discovery/discovery.ts'
import type { Handler } from '../apiserver/exchange.ts'
import { createHandler } from '../apiserver/http/handler.ts'
import { FlowClassifier } from '../apiserver/flowcontrol/classifier.ts'
import { buildMetrics } from '../apiserver/metrics/build.ts'
import { ClusterMetrics } from '../apiserver/metrics/cluster.ts'
import { stateMetrics } from '../apiserver/metrics/state.ts'
import { InProcessClient, PROCESS_USER, type Remote } from '../apiserver/inprocess/client.ts'
import { createOpenApi } from '../apiserver/openapi/documents.ts'
import type { Reviewer } from '../apiserver/registry/api.ts'
import { requestToken } from '../apiserver/reviews/token-request.ts'
import { review } from '../apiserver/reviews/review.ts'
import { listen, type Listener } from '../apiserver/transport/listen.ts'
import type { Client } from '../client/contract.ts'
import { HttpsClient } from '../client/https.ts'
import type { ControllerFactory } from '../controllers/contract.ts'
import type { AggregatedResources, DiscoveredResource } from '../controllers/discovery.ts'
import type { Range } from '../store/contract.ts'
import { builtinResources } from './builtin.ts'
import { readIdentity, serviceAccountKey, writeIdentity, type ClusterIdentity } from './identity.ts'
import { kubeconfig } from './kubeconfig.ts'
import { lastUses } from './last-uses.ts'
import { handlerWire, rawHandler, type Identities } from './raw.ts'
import type { Runtime } from './runtime.ts'
import { versionInfo } from './version.ts'

export interface ClusterOptions {
  readonly runtime: Runtime
  /** The range's id in the store. */
  readonly id: string
  /** Name in certificates and kubeconfigs. */
  readonly name: string
  /** Address to listen on and to tell clients. @default '127.0.0.1' */
  readonly address?: string
  /** 0: the one used before, else a free one. @default 0 */
  readonly port?: number
  /** IPv4 range of cluster IPs. @default '10.96.0.0/16' */
  readonly serviceCidr?: string
  /** What runs in it. Called once the cluster's facts are known. */
  controllers(facts: ClusterFacts): readonly ControllerFactory[]
  /** Whether `/metrics` shows the whole process: for its operator's cluster only. @default false */
  readonly processMetrics?: boolean
  /** Answers `pods/log` in the place of kubelets. */
  readonly logs: LogSource
  /** Why nobody answers on nodes that run nothing. @default all nodes have kubelets */
  readonly absent?: ConnectorOptions['absent']
  /** Where its pods are, if they are pods of another cluster. @default on its own nodes */
  readonly elsewhere?: Elsewhere
  /** Where Services of webhooks and aggregated servers answer. @default at the ready endpoints that the cluster holds */
  readonly services?: ServiceResolver
  /**
   * Addresses that the API server may call on behalf of those who configure webhooks and aggregated servers.
   * @default all: for clusters whose users may reach what the process reaches
   */
  readonly reach?: ReachOptions
  /** Who is let in beside certificates and tokens of the cluster itself. @default nobody */
  readonly authentication?: CheckedAuthentication
  /** Fixed tokens; see staticTokens. @default none */
  readonly staticTokens?: PlainTokenSource
  /** What is logged of which requests, and where. @default nothing */
  readonly audit?: { readonly policy: AuditPolicy; readonly output: AuditOutput } | undefined
  /** Proxies in front of this server that say who asks. @default none but this server itself, towards others */
  readonly frontProxy?: FrontProxyOptions & {
    /** PEM of the authorities of their certificates. */
    readonly ca: string
  }
}

/** What controllers of a cluster may have to know. */
export interface ClusterFacts {
  /** PEM of the cluster's certificate authority. */
  readonly ca: string
  /** PEM of its key. */
  readonly caKey: string
  /** Signs tokens that stand in Secrets. */
  accountToken(account: LegacyAccount): string
  readonly endpoint: { readonly host: string; readonly port: number }
  /** The first address of the service range. */
  readonly serviceIp: string
  /** What is served beside custom resources. */
  readonly builtin: readonly DiscoveredResource[]
  /** What other servers serve. */
  readonly aggregated: AggregatedResources
}

export interface Cluster extends AsyncDisposable {
  readonly endpoint: { readonly host: string; readonly port: number }
  /** `https://127.0.0.1:7443` */
  readonly url: string
  /** The admin's, as text. */
  readonly kubeconfig: string
  /** In-process, as a member of system:masters. */
  readonly client: Client
  /** In-process, as another user. The caller closes it. */
  clientAs(user: UserInfo): Client
  /** Lets others in from now on: replaces what the cluster was started with. */
  setAuthentication(authentication: CheckedAuthentication | undefined): void
  /** Logs other requests from now on, or none. */
  setAudit(audit: ClusterOptions['audit']): void
  /** Ends serving and controllers; the state stays in the store. */
  stop(): Promise<void>
}

/** The identity under which a syncer works in a tenant: it alone may set what the host decides (cluster IPs). */
export const SYNCER_USER: UserInfo = {
  name: 'system:tenantry:syncer',
  groups: ['system:masters', 'system:authenticated'],
}

/** Of service account tokens. Others may not have it. */
export const ISSUER = 'https://kubernetes.default.svc.cluster.local'

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { runtime, address = '127.0.0.1', serviceCidr = DEFAULT_SERVICE_CIDR } = options
  const range = await runtime.store.open(options.id, { base: bootstrapEntries({ serviceCidr }) })
  const serviceIp = firstAddress(serviceCidr)
  const { identity, changed } = readIdentity(range, {
    name: options.name,
    addresses: [address, serviceIp],
    now: runtime.now(),
  })
  const parts = assemble(options, range, identity, serviceCidr)
  const handled: Handler = (exchange) => {
    runtime.rest.touch()
    return parts.handler(exchange)
  }
  const listener = await open(handled, identity, options, address)
  if (changed || identity.port !== listener.port) await writeIdentity(range, { ...identity, port: listener.port })

  const endpoint = { host: address, port: listener.port }
  const client = parts.clientAs(undefined)
  const running = runtime.engine.add(
    { id: options.id, client },
    options.controllers({
      ca: identity.ca.certificate,
      caKey: identity.ca.key,
      accountToken: (account) => legacyToken(tokenKey(serviceAccountKey(identity)), account),
      endpoint,
      serviceIp,
      builtin: builtinResources(),
      aggregated: parts.aggregated,
    }),
  )
  const url = `https://${address.includes(':') ? `[${address}]` : address}:${listener.port}`
  let stopping: Promise<void> | undefined
  const stop = async () => {
    running.stop()
    await listener.close()
    await client.close()
    await parts.dialler.close()
    parts.close()
    runtime.metrics.forget(options.id)
  }
  return {
    endpoint,
    url,
    kubeconfig: kubeconfig({ name: options.name, server: url, ca: identity.ca.certificate, ...identity.admin }),
    client,
    clientAs: parts.clientAs,
    setAuthentication: parts.setAuthentication,
    setAudit: parts.setAudit,
    stop: () => (stopping ??= stop()),
    [Symbol.asyncDispose]: () => (stopping ??= stop()),
  }
}

/** Clients for what other servers serve, one for each user as long as there is something. */
class RemoteClients {
  readonly #aggregator: Aggregator
  readonly #make: (user: UserInfo) => Client
  readonly #clients = new Map<UserInfo, Client>()

  constructor(aggregator: Aggregator, make: (user: UserInfo) => Client) {
    this.#aggregator = aggregator
    this.#make = make
    aggregator.onChange(() => {
      if (aggregator.empty) this.close()
    })
  }

  of(user: UserInfo): Remote {
    return {
      has: (group, version) => this.#aggregator.has(group, version),
      client: () => {
        let client = this.#clients.get(user)
        if (client === undefined) this.#clients.set(user, (client = this.#make(user)))
        return client
      },
    }
  }

  close(): void {
    for (const client of this.#clients.values()) void client.close()
    this.#clients.clear()
  }
}

interface Parts {
  readonly handler: Handler
  readonly aggregated: Aggregator
  readonly dialler: Dialler
  clientAs(user: UserInfo | undefined): Client
  setAuthentication(authentication: CheckedAuthentication | undefined): void
  setAudit(audit: ClusterOptions['audit']): void
  close(): void
}

/** Everything between the socket and the range. */
function assemble(options: ClusterOptions, range: Range, identity: ClusterIdentity, serviceCidr: string): Parts {
  const { runtime } = options
  const authorizer = withNodes(rbacAuthorizer(range, rbacObjects()), range)
  const keys = [tokenKey(serviceAccountKey(identity))] as const
  const tokens = new ServiceAccountTokens({
    issuer: ISSUER,
    keys,
    objects: boundObjects(range),
    used: (what) => metrics.accounts.used(what),
    now: runtime.now,
  })
  const dialler = runtime.dials.dialler({
    cluster: options.id,
    services: options.services ?? endpointResolver(rangeServices(range), runtime.random),
    ...(options.reach === undefined ? {} : { reach: reach(options.reach) }),
  })
  let audit = options.audit === undefined ? undefined : auditor(options.audit)
  const metrics: ClusterMetrics = new ClusterMetrics(() => [
    ...stateMetrics({ range, catalog: api.catalog, audit, seats: runtime.fairShare.seats }),
    ...buildMetrics(versionInfo),
    ...(options.processMetrics === true ? runtime.registry.texts() : []),
  ])
  const bearers = new BearerTokens({
    range,
    tokens,
    dialler,
    fixed: options.staticTokens,
    authentication: options.authentication,
    legacy: {
      used: (what) => metrics.accounts.used(what),
      touch: lastUses(() => api, runtime.log),
      now: runtime.now,
    },
    now: runtime.now,
  })
  const api: Registry = createApi({
    range,
    authorizer,
    plugins: defaultPlugins({ rules: authorizer, storageProtection: true, dialler }),
    reviewers: reviewers(authorizer, bearers, runtime),
    issueToken: (call, account, request) =>
      requestToken(request, {
        namespace: account.metadata.namespace!,
        name: account.metadata.name!,
        tokens,
        now: runtime.now(),
        uuid: crypto.randomUUID(),
        ...(call.audit !== undefined && { audit: call.audit }),
        ...(call.warnings !== undefined && { warnings: call.warnings }),
      }),
    serviceCidr,
    metrics,
    now: runtime.now,
    random: runtime.random,
  })
  const crds = startCustomResources({
    range,
    catalog: api.catalog,
    api,
    log: runtime.log,
    dialler,
    metrics,
    now: runtime.now,
  })
  const identities: Identities = new WeakMap()
  const frontProxy = options.frontProxy ?? frontProxyDefaults
  const authenticate = authenticator({
    tokens: bearers,
    frontProxy,
    mayBeAnonymous: (path) => bearers.mayBeAnonymous(path),
    onCertificate: (left) => metrics.access.certificate(left),
    now: runtime.now,
  })
  const { log, now } = runtime
  const { catalog } = api
  const client = identity.frontProxy.client
  const aggregator = new Aggregator({ range, catalog, api, dialler, client, log, now, uuid: () => crypto.randomUUID() })
  const endTrust = keepTrust({
    range,
    api,
    clientCa: identity.ca.certificate,
    proxyCa: proxyAuthorities(identity, options.frontProxy),
    frontProxy,
    log,
  })
  const connectors = createConnectors({
    objects: rangeObjects(range),
    dialler,
    kubeletClient: identity.kubeletClient,
    logs: options.logs,
    ...(options.absent !== undefined && { absent: options.absent }),
    ...(options.elsewhere !== undefined && { elsewhere: options.elsewhere }),
    random: runtime.random,
  })
  const flows = new FlowClassifier(range)
  const handler = createHandler({
    api,
    authenticate: (exchange, notes) => identities.get(exchange) ?? authenticate(exchange, notes),
    fairShare: { shares: runtime.fairShare, cluster: options.id },
    flows,
    discovery: aggregator.discovery(createDiscovery(catalog)),
    openapi: aggregator.openapi(createOpenApi(catalog)),
    aggregation: aggregator,
    version: versionInfo,
    get audit() {
      return audit
    },
    metrics,
    connectors,
    issuer: { configuration: issuerConfiguration(ISSUER, `${ISSUER}/openid/v1/jwks`), jwks: keySet(keys) },
    log: runtime.log,
    now: runtime.now,
    random: runtime.random,
  })
  const raw = rawHandler(() => handler, identities)
  const remotes = new RemoteClients(aggregator, (user) => {
    const onError = (error: unknown) => runtime.log.debug('an aggregated server', { error: String(error) })
    return new HttpsClient(
      handlerWire(() => handler, identities, user),
      { reflector: { onError } },
    )
  })
  return {
    handler,
    dialler,
    setAuthentication: (authentication) => bearers.set(authentication),
    setAudit: (given) => void (audit = given === undefined ? undefined : auditor(given)),
    aggregated: aggregator,
    clientAs: (user) =>
      new InProcessClient({ api, raw, ...(user !== undefined && { user }), remote: remotes.of(user ?? PROCESS_USER) }),
    close() {
      endTrust()
      remotes.close()
      aggregator.close()
      crds.close()
      flows.close()
      authorizer.close()
    },
  }
}

const REVIEWS = [
  ['authorization.k8s.io', 'subjectaccessreviews'],
  ['authorization.k8s.io', 'localsubjectaccessreviews'],
  ['authorization.k8s.io', 'selfsubjectaccessreviews'],
  ['authorization.k8s.io', 'selfsubjectrulesreviews'],
  ['authentication.k8s.io', 'selfsubjectreviews'],
  ['authentication.k8s.io', 'tokenreviews'],
] as const

function reviewers(
  authorizer: ReturnType<typeof rbacAuthorizer>,
  tokens: TokenSource,
  runtime: Runtime,
): ReadonlyMap<string, Reviewer> {
  return new Map(
    REVIEWS.map(([group, resource]): [string, Reviewer] => [
      `${group}/${resource}`,
      (call, object, namespace) =>
        review(group, resource, object, { user: call.user, namespace, authorizer, tokens, now: runtime.now() }),
    ]),
  )
}

/** Kubernetes' own front proxy has one authority with those of others. */
function proxyAuthorities(identity: ClusterIdentity, others: ClusterOptions['frontProxy']): string {
  const own = identity.frontProxy.ca.certificate
  return others === undefined ? own : `${own.trimEnd()}\n${others.ca}`
}

/** Listens on the asked port, or on the one used before; if that one is taken meanwhile, on a free one. */
async function open(
  handler: Handler,
  identity: ClusterIdentity,
  { runtime, port = 0, frontProxy }: ClusterOptions,
  host: string,
): Promise<Listener> {
  const credentials = {
    key: identity.server.key,
    cert: identity.server.certificate,
    clientCa: identity.ca.certificate,
    proxyCa: proxyAuthorities(identity, frontProxy),
  }
  const onError = (error: unknown) => runtime.log.error('a connection failed', { error: String(error) })
  try {
    return await listen({ credentials, handler, host, port: port === 0 ? identity.port : port, onError })
  } catch (error) {
    if (port !== 0 || identity.port === 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return listen({ credentials, handler, host, port: 0, onError })
  }
}

/** `10.96.0.0/16` → `10.96.0.1` */
function firstAddress(cidr: string): string {
  const parts = cidr.slice(0, cidr.indexOf('/')).split('.').map(Number)
  return [...parts.slice(0, 3), parts[3]! + 1].join('.')
}
