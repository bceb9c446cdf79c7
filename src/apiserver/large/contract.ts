/**
 * What the helper thread for objects of many members does. Objects go back and forth as JSON texts, which cost next to
 * nothing to hand over; where bytes are meant, they become the thread's own.
 */
import type { Emptied } from '../../machinery/codec/normalize.ts'
import type { FieldError } from '../../machinery/field.ts'
import type { Status } from '../../machinery/status.ts'
import type { Call, PatchType } from '../contract.ts'

export type Form = 'json' | 'yaml' | 'protobuf' | 'pretty'

/** A target, for a thread that knows no cluster. */
export interface Place {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource?: string
  readonly namespace: string
  readonly name: string
  /** Of a custom resource: its definition (CustomResource.edition). */
  readonly edition?: string
}

/** What a write is recorded by. */
export interface Recorded {
  readonly manager: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

export type Validation = Call['fieldValidation']

/** Each job: what it is given, and what it answers. A StatusError comes back as one. */
export interface Jobs {
  /** An object that was sent, pruned and defaulted. */
  decode: {
    input: {
      readonly place: Place
      readonly bytes: Uint8Array
      readonly mediaType: string
      /** Milliseconds since the epoch. */
      readonly now: number
      /** Whether fields that the kind does not have are looked for. */
      readonly unknown: boolean
    }
    output: {
      readonly text: string
      readonly problems: readonly string[]
      readonly emptied: readonly Emptied[] | undefined
    }
  }
  /** A patch as it was sent. @throws StatusError 400 */
  decodePatch: {
    input: { readonly bytes: Uint8Array; readonly type: PatchType }
    output: { readonly text: string; readonly problems: readonly string[] }
  }
  /** The object that a patch makes, pruned and defaulted. */
  patch: {
    input: {
      /** Milliseconds since the epoch. */
      readonly now: number
      readonly place: Place
      readonly type: Exclude<PatchType, 'apply'>
      readonly before: string
      readonly body: string
      readonly validation: Validation
    }
    output: {
      readonly text: string
      readonly emptied: readonly Emptied[] | undefined
      readonly warnings: readonly string[]
    }
  }
  /** The object that an apply makes, pruned and defaulted, and its managers. */
  apply: {
    input: Recorded & {
      readonly place: Place
      /** Absent: it is made. */
      readonly before: string | undefined
      readonly config: string
      readonly force: boolean
      readonly validation: Validation
    }
    output: { readonly text: string; readonly list: string | undefined; readonly warnings: readonly string[] }
  }
  /** The managers after a write that is no apply: their list. */
  track: {
    input: Recorded & {
      readonly place: Place
      readonly text: string
      readonly old: string | undefined
      readonly written: string | undefined
      readonly stored: string | undefined
      readonly emptied: readonly Emptied[] | undefined
    }
    output: string | undefined
  }
  /** What is wrong with an object. */
  check: {
    input: {
      /** As what it was written. */
      readonly place: Place
      readonly text: string
      readonly old: string | undefined
      /** Whether more than the metadata is looked at. */
      readonly content: boolean
      /** Whether an object with which nothing is wrong is warned of. */
      readonly warns: boolean
      /** Of custom resources: only the status may have changed. */
      readonly part?: 'status'
    }
    output: { readonly errors: FieldError[]; readonly warnings: readonly string[] }
  }
  /** An object in another form. */
  render: {
    input: {
      readonly text: string
      readonly form: Form
      /** It is an item of a list, that says its kind or not. @default it stands alone */
      readonly item?: 'typed' | 'bare'
    }
    output: Uint8Array
  }
}

export type JobName = keyof Jobs

export interface Request {
  readonly id: number
  readonly job: JobName
  readonly input: Jobs[JobName]['input']
}

export type Reply =
  | { readonly id: number; readonly output: Jobs[JobName]['output'] }
  | { readonly id: number; readonly status: Status }
  | { readonly id: number; readonly failure: string }
