/** Policies are not asked about policies, so that a cluster can always be repaired. */
export const EXEMPT: ReadonlySet<string> = new Set([
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
])
