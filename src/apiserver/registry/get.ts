/** get: the newest committed state of one object. */
import type { Stored, Target } from '../contract.ts'
import { errors } from '../../machinery/status.ts'
import { stored, viewEntry } from './convert.ts'
import type { Core } from './core.ts'
import { groupResource } from './core.ts'
import { keyOf } from './key.ts'

/** @throws StatusError 404 */
export function getObject(core: Core, target: Target): Stored {
  const entry = core.range.get(keyOf(target.resource, target.namespace, target.name))
  if (entry === undefined) throw errors.notFound(groupResource(target.resource), target.name)
  return stored(viewEntry(entry, target.resource))
}
