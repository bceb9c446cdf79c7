/**
 * What is written by hand per kind: defaulting, preparation and validation.
 *
 * All functions are pure. `object` arguments of `defaults`, `prepareCreate` and
 * `prepareUpdate` are private copies that the function changes in place; `old` is
 * shared and must not be touched.
 */
import type { FieldError } from '../field.ts'
import type { KubeObject } from '../object.ts'
import type { Steps } from '../schema/steps.ts'

/**
 * How a name is checked. `path` is the RBAC rule: no `/`, `%`, `.` or `..` alone. `longname` is upstream's declarative
 * rule for subdomains: the name that was generated is checked alone.
 */
export type NameRule = 'dns1123subdomain' | 'longname' | 'dns1123label' | 'dns1035label' | 'path'

/** A rule of its own: what is wrong with the name of an object, given the object as well. */
export type NameCheck = (name: string, object: KubeObject) => string[]

/** What a kind says about itself beside the type table. Every field is optional: the table rules alone. */
export interface KindRules<T extends KubeObject = KubeObject> {
  /** @default 'dns1123subdomain' */
  readonly name?: NameRule | NameCheck
  /** Whether a name that is made from `generateName` gets a suffix. @default true */
  readonly suffixedNames?: boolean
  /** Whether finalizers without a domain must be Kubernetes' own. @default true */
  readonly legacyFinalizers?: boolean
  /**
   * Fills in what the API defaults, as upstream's defaulting functions do. Idempotent. `now` is the present time as
   * metadata has it.
   */
  defaults?(object: T, now: () => string): void
  /**
   * Sets what only the server may set on create (clears status, …). After defaults, before validation; uid and
   * creationTimestamp are set.
   */
  prepareCreate?(object: T): void
  /** The last step of a create, after validation: what upstream changes when it reads the new object back. */
  settle?(object: T): void
  /** Restores what this write may not change (status on the main endpoint, …). */
  prepareUpdate?(object: T, old: T, now: () => string): void
  /**
   * Restores what a write of the `status` subresource may not change. `now` is the present time as metadata has it.
   * @default spec is the stored one
   */
  prepareStatus?(object: T, old: T, now: () => string): void
  /**
   * Everything wrong with an object, in upstream's order. Metadata is checked by the caller. On updates `old` is the
   * stored object: parts that did not change are let through, and what only a new object may not have is not asked.
   */
  validate?(object: T, old?: T): FieldError[]
  /** As `validate`, instead of it, where that may take long. */
  validateInSteps?(object: T, old?: T): Steps<FieldError[]>
  /** Everything wrong with an update beyond `validate`: immutable fields and allowed transitions. */
  validateUpdate?(object: T, old: T): FieldError[]
  /** For the `status` subresource. `now` is the present time as metadata has it. @default nothing beyond the table */
  validateStatus?(object: T, old: T, now: () => string): FieldError[]
  /** `metadata.generation` grows when this differs. @default everything except metadata and status; false: the kind has no generation */
  generation?: false | ((object: T) => unknown)
  /** Whether an update without resourceVersion is let through. @default true for built-in kinds */
  readonly unconditionalUpdate?: boolean
  /** Whether PUT to a missing name creates it. @default false */
  readonly createOnUpdate?: boolean
  /** Selectable fields beyond metadata.name and metadata.namespace: `spec.nodeName` → its value as a string. */
  readonly fields?: Readonly<Record<string, (object: T) => string>>
  /** By group: the rules instead of these for what is written through another API group of the kind. */
  readonly through?: Readonly<Record<string, KindRules>>
  /** Texts for Warning headers of what is made, before anything is checked; told also when it is refused. */
  earlyWarnings?(object: T): string[]
  /** Texts for Warning headers on create and update. */
  warnings?(object: T, old: T | undefined): string[]
}
