/** Values that messages show whole, with the field names and zero values that upstream's internal types print. */
import { isSet, listOf, sortedMap } from '../json.ts'
import type { Json } from '../json.ts'

/** `null` for what is absent; nested structs by the names of their fields. */
function struct(value: Json, fields: readonly (readonly [string, string, Json?])[]): Json {
  if (!isSet(value)) return null
  return Object.fromEntries(fields.map(([go, json, zero]) => [go, value[json] ?? zero ?? null]))
}

/** A container's SecurityContext. */
export function shownSecurityContext(sc: Json): Json {
  const seLinux = struct(sc.seLinuxOptions, [
    ['User', 'user', ''],
    ['Role', 'role', ''],
    ['Type', 'type', ''],
    ['Level', 'level', ''],
  ])
  const windows = struct(sc.windowsOptions, [
    ['GMSACredentialSpecName', 'gmsaCredentialSpecName'],
    ['GMSACredentialSpec', 'gmsaCredentialSpec'],
    ['RunAsUserName', 'runAsUserName'],
    ['HostProcess', 'hostProcess'],
  ])
  const profile: (readonly [string, string, Json?])[] = [
    ['Type', 'type', ''],
    ['LocalhostProfile', 'localhostProfile'],
  ]
  return {
    Capabilities: struct(sc.capabilities, [
      ['Add', 'add'],
      ['Drop', 'drop'],
    ]),
    Privileged: sc.privileged ?? null,
    SELinuxOptions: seLinux,
    WindowsOptions: windows,
    RunAsUser: sc.runAsUser ?? null,
    RunAsGroup: sc.runAsGroup ?? null,
    RunAsNonRoot: sc.runAsNonRoot ?? null,
    ReadOnlyRootFilesystem: sc.readOnlyRootFilesystem ?? null,
    AllowPrivilegeEscalation: sc.allowPrivilegeEscalation ?? null,
    ProcMount: sc.procMount ?? null,
    SeccompProfile: struct(sc.seccompProfile, profile),
    AppArmorProfile: struct(sc.appArmorProfile, profile),
  }
}

/** An entry of `spec.resourceClaims`. */
export function shownClaim(claim: Json): Json {
  return struct(claim, [
    ['Name', 'name', ''],
    ['ResourceClaimName', 'resourceClaimName'],
    ['ResourceClaimTemplateName', 'resourceClaimTemplateName'],
  ])
}

/** A term of a node selector. */
export function shownTerm(term: Json): Json {
  const requirements = (list: Json): Json =>
    isSet(list) && list.length > 0
      ? list.map((r: Json) =>
          struct(r, [
            ['Key', 'key', ''],
            ['Operator', 'operator', ''],
            ['Values', 'values'],
          ]),
        )
      : null
  return { MatchExpressions: requirements(term?.matchExpressions), MatchFields: requirements(term?.matchFields) }
}

/** A metav1.LabelSelector as Go writes it. */
export function shownSelector(selector: Json): Json {
  if (!isSet(selector)) return null
  return {
    ...(Object.keys((selector.matchLabels ?? {}) as object).length > 0
      ? { matchLabels: sortedMap(selector.matchLabels) }
      : {}),
    ...(selector.matchExpressions?.length > 0
      ? {
          matchExpressions: selector.matchExpressions.map((r: Json) => ({
            key: r.key ?? '',
            operator: r.operator ?? '',
            ...(r.values?.length > 0 ? { values: r.values } : {}),
          })),
        }
      : {}),
  }
}

/** A required node selector. */
export function shownNodeSelector(selector: Json): Json {
  if (!isSet(selector)) return null
  const requirements = (list: Json): Json =>
    listOf(list).length === 0
      ? null
      : listOf(list).map((r) => ({ Key: r.key ?? '', Operator: r.operator ?? '', Values: r.values ?? null }))
  const terms = listOf(selector.nodeSelectorTerms).map((term) => ({
    MatchExpressions: requirements(term.matchExpressions),
    MatchFields: requirements(term.matchFields),
  }))
  return { NodeSelectorTerms: terms.length === 0 ? null : terms }
}
