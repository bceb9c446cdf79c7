/** The kinds that are asked by creating them, and never stored. */
import type { KubeObject } from '../../machinery/object.ts'
import type { TokenSource } from '../authn/bearer.ts'
import type { Authorizer, UserInfo } from '../contract.ts'
import {
  reviewLocalSubjectAccess,
  reviewSelfSubjectAccess,
  reviewSelfSubjectRules,
  reviewSubjectAccess,
} from './access.ts'
import { reviewSelf, reviewToken } from './identity.ts'

export interface ReviewContext {
  readonly user: UserInfo
  /** Of the URL, '' if it has none. */
  readonly namespace: string
  readonly authorizer: Authorizer
  readonly tokens: TokenSource
  /** Milliseconds since the epoch. */
  readonly now: number
}

type Review = (object: KubeObject, context: ReviewContext) => KubeObject | Promise<KubeObject>

/** By resource. */
const reviews: ReadonlyMap<string, Review> = new Map<string, Review>([
  ['subjectaccessreviews.authorization.k8s.io', (o, c) => reviewSubjectAccess(o, c.authorizer)],
  ['localsubjectaccessreviews.authorization.k8s.io', (o, c) => reviewLocalSubjectAccess(o, c.namespace, c.authorizer)],
  ['selfsubjectaccessreviews.authorization.k8s.io', (o, c) => reviewSelfSubjectAccess(o, c.user, c.authorizer)],
  ['selfsubjectrulesreviews.authorization.k8s.io', (o, c) => reviewSelfSubjectRules(o, c.user, c.authorizer)],
  ['selfsubjectreviews.authentication.k8s.io', (o, c) => reviewSelf(o, c.user, c.now)],
  ['tokenreviews.authentication.k8s.io', (o, c) => reviewToken(o, c.tokens)],
])

/** Whether a resource is a review: it has `create` only and {@link review} answers it. */
export function isReview(group: string, resource: string): boolean {
  return reviews.has(`${resource}.${group}`)
}

/** The object with its status. @throws StatusError; TypeError for what is no review */
export function review(
  group: string,
  resource: string,
  object: KubeObject,
  context: ReviewContext,
): KubeObject | Promise<KubeObject> {
  const answer = reviews.get(`${resource}.${group}`)
  if (answer === undefined) throw new TypeError(`${resource}.${group} is no review`)
  return answer(object, context)
}
