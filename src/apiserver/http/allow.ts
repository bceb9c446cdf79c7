/** The authorization of requests, noted and counted. */
import { noteDecision } from '../audit/decision.ts'
import { forbidden } from '../authz/forbidden.ts'
import type { Attributes } from '../contract.ts'
import type { HandlerOptions } from './contract.ts'
import type { Reply } from './reply.ts'

/** @throws StatusError 403 in upstream's words: `pods "x" is forbidden: User "u" cannot get resource …` */
export function allow({ api, metrics }: HandlerOptions, attributes: Attributes, reply: Reply): void {
  const access = metrics?.access
  const since = access?.sampler.isDue() === true ? performance.now() : undefined
  const decision = api.authorizer.authorize(attributes)
  access?.authorized(
    decision.allowed ? 'allowed' : 'no-opinion',
    since === undefined ? undefined : performance.now() - since,
  )
  if (reply.audit !== undefined) noteDecision(reply.audit, decision)
  if (!decision.allowed) throw forbidden(attributes, decision.reason)
}
