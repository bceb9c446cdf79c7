/** get: the newest committed state of one object. */
import type { Call, Stored, Target } from '../contract.ts'
import { errors } from '../../machinery/status.ts'
import { shown, stored } from './convert.ts'
import type { Core } from './core.ts'
import { groupResource, outside } from './core.ts'
import { keyOf } from './key.ts'

/** @throws StatusError 404; 500 (rejects) when a webhook does not convert */
export function getObject(core: Core, call: Call, target: Target): Stored | Promise<Stored> {
  const entry = core.range.get(keyOf(target.resource, target.namespace, target.name))
  if (entry === undefined) throw errors.notFound(groupResource(target.resource), target.name)
  const view = shown(entry, target.resource)
  return view instanceof Promise ? outside(call, view).then(stored) : stored(view)
}
