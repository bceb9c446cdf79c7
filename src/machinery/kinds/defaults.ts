/** Kinds of which only what the server resets is written here. */
import type { KindRules } from './contract.ts'

/** By group and kind. */
export const DEFAULTS_ONLY: readonly (readonly [string, KindRules])[] = [
  ['node.k8s.io/RuntimeClass', { generation: false }],
]
