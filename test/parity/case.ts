/** What parity asks of both servers. */
import { createHash } from 'node:crypto'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/**
 * One request. In `path` and `body`, `$RV` and `$UID` stand for the resource version and the uid of the object that the
 * step before answered (for the first step: of the case's fixture).
 */
export interface Step {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS'
  /** Path and query. */
  readonly path: string
  /** JSON, or text that is sent as it is (`text`), or bytes in base64 (`base64`). */
  readonly body?: Json
  readonly text?: string
  readonly base64?: string
  /** @default application/json when there is a body */
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Case {
  /** Unique and stable: `v1/Pod create drop spec.containers[0].image`. */
  readonly id: string
  /** `apps/v1/Deployment`, or a word for what belongs to no kind. */
  readonly kind: string
  /** Written by hand: never left out of a sample. */
  readonly byHand?: true
  /** Names the fixture that must exist before. */
  readonly fixture?: string
  /** Sent in order, each answer is compared. A case whose first answers differ stops there. */
  readonly steps: readonly Step[]
}

/** An object that many cases read, or change in a dry run only. */
export interface Fixture {
  readonly name: string
  readonly steps: readonly Step[]
}

/** As one server answered, made comparable. */
export interface Answer {
  readonly code: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Json
}

/** A number in [0, 2³²) that depends on the text alone. */
export function hash(text: string): number {
  return createHash('sha1').update(text).digest().readUInt32BE(0)
}

/** A name of its own for the objects of a case. */
export function ownName(id: string): string {
  return `c${hash(id).toString(16).padStart(8, '0')}`
}
