/**
 * The control loops of an embedded cluster: contract.
 *
 * A controller is level-triggered: `start` subscribes to informers and enqueues keys;
 * `reconcile` reads the state at work time and moves the world one step. One engine
 * (engine.ts) runs the controllers of all clusters of a process with one fair queue,
 * one flow for each cluster; a cluster in which nothing happens costs neither timer nor work.
 */
import type { Client } from '../client/contract.ts'

/** What the outside gives a controller. Clock, randomness and log are parameters. */
export interface ControllerContext {
  readonly client: Client
  /** Enqueue a key of this controller, now or after `delay` milliseconds. */
  enqueue(key: string, delay?: number): void
  /** Milliseconds since the epoch. */
  now(): number
  /** A number in [0, 1). */
  random(): number
  readonly log: Log
  /** Ends when the cluster is stopped. */
  readonly signal: AbortSignal
}

export interface Controller {
  /** Lower-case, as metrics and logs show it: `replicaset`. */
  readonly name: string
  /** Subscribes and enqueues. Called once; what it subscribes to ends with the client. */
  start(): void
  /** Works on one key. A rejected promise means: again, after a back-off. */
  reconcile(key: string): Promise<void>
}

/** Makes a controller for one cluster. */
export type ControllerFactory = (context: ControllerContext) => Controller

/** Structured log: one JSON line with `msg` and the fields. */
export interface Log {
  debug(msg: string, fields?: Record<string, unknown>): void
  info(msg: string, fields?: Record<string, unknown>): void
  warn(msg: string, fields?: Record<string, unknown>): void
  error(msg: string, fields?: Record<string, unknown>): void
}
