/** The seam where objects change their API version: a set of fields can only be compared with an object of its version. */
import type { KubeObject } from '../object.ts'
import type { Schema } from './schema.ts'

/** An object with the type it is walked by. */
export interface Typed {
  readonly object: KubeObject
  readonly schema: Schema
  readonly apiVersion: string
}

/** How objects of one kind come into another version. */
export interface Versions {
  /** Undefined when the version does not exist any more: what was managed in it is forgotten. */
  convert(typed: Typed, apiVersion: string): Typed | undefined
}

/** A kind with one version. */
export const ONE_VERSION: Versions = {
  convert: (typed, apiVersion) => (typed.apiVersion === apiVersion ? typed : undefined),
}
