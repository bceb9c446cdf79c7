/** ConfigMaps and Secrets that pods refer to: data down. */
import { resources } from '../../client/resources.ts'
import type { Resource } from '../../client/contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { equalJson } from '../../machinery/equality.ts'
import type { Descriptor } from '../contract.ts'

function dataKind(kind: 'ConfigMap' | 'Secret', resource: Resource, fields: readonly string[]): Descriptor {
  return {
    kind,
    resource,
    toHost(object, { tenant }) {
      const namespace = object.metadata.namespace!
      const desired: KubeObject = {
        apiVersion: 'v1',
        kind,
        metadata: {
          name: tenant.placement.name(namespace, object.metadata.name!),
          namespace: tenant.placement.namespace(namespace),
          ...(object.metadata.labels && { labels: object.metadata.labels }),
          ...(object.metadata.annotations && { annotations: object.metadata.annotations }),
        },
      }
      for (const field of fields) if (object[field] !== undefined) desired[field] = object[field]
      // The host must not take a tenant's token Secret for one of its own service accounts.
      if (kind === 'Secret')
        desired['type'] =
          object['type'] === 'kubernetes.io/service-account-token' ? 'Opaque' : (object['type'] ?? 'Opaque')
      return { object: desired }
    },
    change(desired, host) {
      const body: Record<string, unknown> = {}
      for (const field of fields) {
        const changed = keysChange(desired[field], host[field])
        if (changed !== undefined) body[field] = changed
      }
      return Object.keys(body).length === 0 ? undefined : { type: 'merge', body }
    },
  }
}

/** A merge patch from `actual` to `desired` of a flat map (or a plain value). */
function keysChange(desired: unknown, actual: unknown): unknown {
  if (equalJson(desired, actual)) return undefined
  if (typeof desired !== 'object' || desired === null || typeof actual !== 'object' || actual === null)
    return desired ?? null
  const out: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  const want = desired as Record<string, unknown>
  const have = actual as Record<string, unknown>
  for (const key of Object.keys(want)) if (!Object.hasOwn(have, key) || want[key] !== have[key]) out[key] = want[key]
  for (const key of Object.keys(have)) if (!Object.hasOwn(want, key)) out[key] = null
  return out
}

export const configMaps = dataKind('ConfigMap', resources.configmaps, ['data', 'binaryData', 'immutable'])
export const secrets = dataKind('Secret', resources.secrets, ['data', 'immutable'])
