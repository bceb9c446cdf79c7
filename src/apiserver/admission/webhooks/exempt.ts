/** What configures admission is never subject to webhooks: a mistake could not be undone else. */
import type { ResourceInfo } from '../../../machinery/types/table.ts'
import { GROUP } from '../match/configured.ts'

const KINDS: ReadonlySet<string> = new Set([
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
])

export function isExempt({ group, kind }: ResourceInfo): boolean {
  return group === GROUP && KINDS.has(kind)
}
