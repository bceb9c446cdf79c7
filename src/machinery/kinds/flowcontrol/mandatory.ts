/** What must not be changed about flow control: facts of Kubernetes 1.37. */
import type { Json } from '../json.ts'

const RULES = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
}
const group = (name: string): Json => ({ kind: 'Group', group: { name } })

/** Specs of flow schemas by name. */
export const FIXED_SCHEMAS: ReadonlyMap<string, Json> = new Map([
  [
    'exempt',
    {
      priorityLevelConfiguration: { name: 'exempt' },
      matchingPrecedence: 1,
      rules: [{ subjects: [group('system:masters')], ...RULES }],
    },
  ],
  [
    'catch-all',
    {
      priorityLevelConfiguration: { name: 'catch-all' },
      matchingPrecedence: 10000,
      distinguisherMethod: { type: 'ByUser' },
      rules: [{ subjects: [group('system:unauthenticated'), group('system:authenticated')], ...RULES }],
    },
  ],
])

/** Specs of priority levels by name. What `exempt` says about itself may be changed. */
export const FIXED_LEVELS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ['exempt', { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }],
  [
    'catch-all',
    {
      type: 'Limited',
      limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' }, lendablePercent: 0 },
    },
  ],
])
