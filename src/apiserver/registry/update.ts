/** update: replaces an object, or one of its subresources. */
import type { Call, Target, Written } from '../contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { authorize } from './authorize.ts'
import { checkIdentity } from './change-metadata.ts'
import type { Change } from './change.ts'
import { changeObject } from './change.ts'
import { createObject } from './create.ts'
import type { Core } from './core.ts'
import { prepared } from './strategy.ts'
import { createsOnUpdate } from './facts.ts'
import { copied, holdsMany } from '../large/many.ts'
import type { Entry } from '../../store/contract.ts'
import { copyJson } from './json.ts'
import type { Subresource } from './subresource.ts'
import { synthetic } from './stored.ts'

/** @throws StatusError */
export async function updateObject(
  core: Core,
  call: Call,
  target: Target,
  object: KubeObject,
  part: Subresource | undefined,
): Promise<Written> {
  // What was sent, without what the URL adds to it.
  if (call.audit !== undefined && part === undefined)
    call.audit.requestObject(prepared(core, target.resource, copyJson(object)))
  if (part?.merge === undefined) checkIdentity(target, object)
  // An object that names its state is tried once; another one may be tried again and must survive that.
  const once = (object.metadata?.resourceVersion ?? '') !== ''
  const build: Change['build'] = (old, entry) => {
    if (call.many === true || holdsMany(entry)) return buildMany(old, entry)
    const own = once ? object : copyJson(object)
    return part?.merge === undefined ? own : part.merge(copyJson(old), own, target)
  }
  const buildMany = async (old: KubeObject, entry: Entry): Promise<KubeObject> => {
    const own = once ? object : call.many === true ? await copied(object, call.seat) : copyJson(object)
    if (part?.merge === undefined) return own
    return part.merge(holdsMany(entry) ? await copied(old, call.seat) : copyJson(old), own, target)
  }
  const change = changeOf(target, part, build)
  const createsMissing = part === undefined && createsOnUpdate(core.catalog.storage(target.resource))
  const written = await changeObject(core, call, target, {
    ...change,
    emptied: () => call.emptied,
    ...(createsMissing ? { create: () => createMissing(core, call, target, object) } : {}),
  })
  return viewed(part, target, written)
}

async function createMissing(core: Core, call: Call, target: Target, object: KubeObject): Promise<Written> {
  authorize(core.authorizer, call, 'create', target)
  const own = copyJson(object)
  own.metadata.name = target.name
  // A dry run answers with the version that was sent.
  if (call.dryRun !== true) delete own.metadata.resourceVersion
  return createObject(core, call, target, own)
}

/** A change through a subresource, or of the object itself. */
export function changeOf(target: Target, part: Subresource | undefined, build: Change['build']): Change {
  const { restrict, validate } = part ?? {}
  const only = part?.part
  return {
    subresource: target.subresource ?? '',
    build,
    ...(only === undefined ? {} : { part: only }),
    ...(restrict === undefined ? {} : { restrict: (object, old, now) => restrict(object, old, target, now) }),
    ...(validate === undefined ? {} : { validate: (object, old, now) => validate(object, old, target, now) }),
  }
}

/** The answer of a write as the subresource shows it. */
export function viewed(part: Subresource | undefined, target: Target, written: Written): Written {
  if (part?.view === undefined) return written
  const { key, revision, created } = written.entry
  return { ...synthetic(part.view(written.object, target), key, revision, created), created: written.created }
}
