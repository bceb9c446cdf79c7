/** Metrics of the real server that have no meaning here, by how they begin, with the reason. */
const ABSENT: readonly (readonly [start: RegExp, reason: string])[] = [
  [/^apiserver_watch_cache|^watch_cache|^apiserver_init_events|^apiserver_watch_events_dispatch/, 'no watch cache: watches are fed by the store in the turn of the write'],
  [/^apiserver_storage_|^apiserver_resource_size_estimate/, 'no etcd: the store counts objects (apiserver_resource_objects), not the calls for them'],
  [/^apiserver_envelope_encryption|^apiserver_storage_data_key/, 'nothing is encrypted in the store'],
  [/^authentication_token_cache/, 'tokens are looked up in the range, in the same turn'],
  [/^informer_/, 'no informers over the wire: the process reads its store'],
  [/^rest_client_/, 'the server does not call itself'],
  [/^(?:registered|hidden|disabled)_metrics_total|^cardinality_enforcement/, 'of upstream’s metrics library'],
  [/^apiserver_admission_step_admission_duration_seconds_summary/, 'quantiles are read off the histogram'],
  [/^apiserver_flowcontrol_(?:current_r|dispatch_r|latest_s|next_|seat_fair_frac|target_seats|demand_seats|priority_level|read_vs_write|watch_count)/, 'the inside of another queue: requests take turns by fairshare/'],
  [/^apiserver_request_(?:filter_duration|timestamp_comparison)/, 'a look at the clock is dearer than what it would measure'],
  [/^apiserver_selfrequest/, 'the server does not call itself'],
  [/^apiserver_validation_(?:declarative|duplicate)/, 'there is one validation, not two to compare'],
  [/x509_(?:insecure_sha1|missing_san)/, 'OpenSSL refuses such certificates'],
  [/^apiserver_cel_/, 'compiled expressions are shared by all clusters of the process'],
  [/^apiextensions_/, 'documents are made piece by piece when somebody asks, ratcheting with the validation'],
  [/^aggregator_discovery_aggregation/, 'discovery joins texts that each resource keeps'],
  [/^kube_apiserver_(?:clusterip|nodeport)_allocator|^apiserver_nodeport_repair/, 'no allocator with a state of its own: what is free is read off the Services'],
  [/^kube_apiserver_pod_logs/, 'no kubelet’s certificate is checked, whatever a request asks'],
  [/^pod_security_exemptions/, 'nobody is exempt'],
  [/^apiserver_tls_handshake_errors/, 'the listener counts no connections that never became a request'],
  [/^apiserver_authorization_decisions/, 'one authorizer decides: authorization_attempts_total says the same'],
  [/^workqueue_(?:longest_running|unfinished)/, 'keys under way are not timed before their end'],
  [/^apiserver_request_terminations_total|^apiserver_request_post_timeout_total/, 'the story has no request that is ended; metrics/registry.test.ts counts what is told of them'],
] // prettier-ignore

/** Why a metric is not shown. */
export function absent(name: string): string | undefined {
  return ABSENT.find(([start]) => start.test(name))?.[1]
}

/** Own metrics under upstream's names that its server does not show in the story. */
export const unseen: ReadonlySet<string> = new Set<string>(['apiserver_flowcontrol_rejected_requests_total'])

/** Series that differ, with the reason; a request of '' is any. */
const DIFFERENT: readonly (readonly [request: RegExp, series: RegExp, reason: string])[] = [
  [/^/, /name="NodeRestriction"/, 'the real server of the tests runs without this plug-in'],
  [/^PUT \S+\/(?:one 409|w 422)/, /step_admission.*type="admit"/, 'a conflict is found before admission'],
  [/^/, /impersonation_authorization_attempts/, 'upstream remembers the mode that worked last'],
  [/gadgets/, /conversion_webhook/, 'upstream converts for its watch cache, and again for each answer; here what was converted is kept'],
  [/selfsubjectaccessreviews/, /step_admission/, 'reviews pass no admission: no plug-in and no webhook is about them'],
] // prettier-ignore

export function mayDiffer(request: string, series: string): boolean {
  return DIFFERENT.some(([of, which]) => of.test(request) && which.test(series))
}
