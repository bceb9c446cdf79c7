/** What the audit log says of an authorization. */
import type { AuditSink, Decision } from '../contract.ts'

/** The annotations that upstream's authorization filter leaves. Checks after the first leave none. */
export function noteDecision(audit: AuditSink, { allowed, reason }: Decision): void {
  audit.annotate('authorization.k8s.io/decision', allowed ? 'allow' : 'forbid')
  audit.annotate('authorization.k8s.io/reason', reason)
}
