/** What a subresource is: a view of its object with verbs of its own. */
import type { Api, Call, Stored, Target } from '../contract.ts'
import type { FieldError } from '../../machinery/field.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Core } from './core.ts'

export type Created = Awaited<ReturnType<Api['create']>>

/** Objects are in the target's version, except where storage version is named. */
export interface Subresource {
  /** How get shows it. @default the object itself */
  view?(parent: KubeObject, target: Target): KubeObject
  /** The object as a write of the view leaves it; `parent` is a private copy. @default the view is the object */
  merge?(parent: KubeObject, view: KubeObject, target: Target): KubeObject
  /** Puts back what this subresource may not change. Storage version. `now` tells the time as objects hold it. */
  restrict?(object: KubeObject, old: KubeObject, target: Target, now: () => string): void
  /** Of custom resources: only the status may change. */
  readonly part?: 'status'
  /**
   * Everything wrong with the change of a built-in. Storage version. `now` tells the time as objects hold it.
   * @default as an update of the whole object
   */
  validate?(object: KubeObject, old: KubeObject, target: Target, now: () => string): FieldError[]
  create?(core: Core, call: Call, target: Target, object: KubeObject): Promise<Created>
  /** When get is more than a view. */
  get?(core: Core, call: Call, target: Target): Stored
}

/** Finds the subresource of a target; undefined for the object itself. @throws StatusError 404 */
export type SubresourceFinder = (target: Target) => Subresource | undefined
