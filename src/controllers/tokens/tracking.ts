/** The ConfigMap that says since when uses of tokens in Secrets are noted: kube-apiserver's own work. */
import { dayOf } from '../../apiserver/authn/legacy-token.ts'
import { resources } from '../../client/resources.ts'
import { isReason } from '../../machinery/status.ts'
import type { Controller, ControllerContext } from '../contract.ts'

export const NAMESPACE = 'kube-system'
export const TRACKING = 'kube-apiserver-legacy-service-account-token-tracking'

/** Milliseconds between two creations. */
const PAUSE = 30 * 60_000

/** Whether it is a day such as `2026-01-31`. */
export function isDay(text: unknown): text is string {
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const at = Date.parse(text)
  return !Number.isNaN(at) && dayOf(at) === text
}

/** Makes it, and corrects what is no day in it. There is one key. */
export function legacyTokenTracking(context: ControllerContext): Controller {
  const { client } = context
  const maps = client.informer(resources.configmaps)
  let created = -Infinity
  return {
    name: 'legacy-token-tracking',
    start() {
      maps.onEvent(({ object: { metadata } }) => {
        if (metadata.namespace === NAMESPACE && metadata.name === TRACKING) context.enqueue(TRACKING)
      })
      context.enqueue(TRACKING)
    },
    async reconcile(key) {
      if (!maps.synced) await maps.ready()
      const map = maps.get(NAMESPACE, TRACKING)
      const now = context.now()
      const where = { namespace: NAMESPACE }
      if (map === undefined) {
        const wait = created + PAUSE - now
        if (wait > 0) return context.enqueue(key, wait)
        const metadata = { name: TRACKING, namespace: NAMESPACE }
        const made = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { since: dayOf(now) } }
        await client.create(resources.configmaps, made, where).catch(unless('AlreadyExists'))
        created = now
        return
      }
      const data = map['data'] as Readonly<Record<string, string>> | undefined
      if (isDay(data?.['since'])) return
      const corrected = { ...map, data: { ...data, since: dayOf(now) } }
      await client.update(resources.configmaps, corrected, where).catch(unless('NotFound', 'Conflict'))
    },
  }
}

function unless(...reasons: readonly ('AlreadyExists' | 'NotFound' | 'Conflict')[]): (error: unknown) => void {
  return (error) => {
    if (!reasons.some((reason) => isReason(error, reason))) throw error
  }
}
