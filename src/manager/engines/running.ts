/** The control planes that an engine has running: each is started once, however many ask, and stopped once. */
import type { ControlPlane, ControlPlaneSpec } from '../contract.ts'

export class RunningPlanes<R extends { readonly plane: ControlPlane }> {
  readonly #start: (spec: ControlPlaneSpec) => Promise<R>
  readonly #stop: (running: R) => Promise<void>
  readonly #running = new Map<string, Promise<R>>()

  constructor(start: (spec: ControlPlaneSpec) => Promise<R>, stop: (running: R) => Promise<void>) {
    this.#start = start
    this.#stop = stop
  }

  /** A start that failed is tried again by the next call. */
  async ensure(spec: ControlPlaneSpec): Promise<ControlPlane> {
    let running = this.#running.get(spec.uid)
    if (running === undefined) {
      running = this.#start(spec)
      this.#running.set(spec.uid, running)
      running.catch(() => this.#running.delete(spec.uid))
    }
    return (await running).plane
  }

  /** One that runs; undefined: it does not. */
  async find(uid: string): Promise<R | undefined> {
    return this.#running.get(uid)
  }

  /** Takes one out that ended by itself. Answers whether it was here. */
  forget(uid: string): boolean {
    return this.#running.delete(uid)
  }

  async stop(uid: string): Promise<void> {
    const running = this.#running.get(uid)
    this.#running.delete(uid)
    if (running !== undefined) await this.#stop(await running)
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((uid) => this.stop(uid)))
  }
}
