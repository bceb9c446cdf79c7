/**
 * How a pod tells the simulation what it would do. All are annotations of the pod:
 *
 *  - `simulated.tenantry.dev/start-delay-seconds`: from being bound to the start of the first container
 *  - `simulated.tenantry.dev/run-seconds`: how long each container runs before it exits
 *  - `simulated.tenantry.dev/exit-code`: with which code it exits then, or at once without `run-seconds`
 *  - `simulated.tenantry.dev/ready`: `false`: no container ever becomes ready
 *  - `simulated.tenantry.dev/ready-delay-seconds`: from a container's start until it is ready
 *  - `simulated.tenantry.dev/termination-seconds`: how long stopping takes, at most the grace period; without it about
 *    a second for pods with running containers
 *  - `simulated.tenantry.dev/image-pull-error`: `true`: no image of the pod can be pulled
 *
 * A number that cannot be read counts as not given. Simulated nodes carry `simulated.tenantry.dev/node: "true"`.
 */
import type { KubeObject } from '../../machinery/object.ts'
import { annotation } from '../meta.ts'

export const PREFIX = 'simulated.tenantry.dev/'
export const NODE = `${PREFIX}node`

export function numberAnnotation(object: KubeObject, name: string): number | undefined {
  const text = annotation(object, PREFIX + name)
  return text !== undefined && /^[0-9]{1,9}(\.[0-9]{1,3})?$/.test(text) ? Number(text) : undefined
}

export function flagAnnotation(object: KubeObject, name: string): boolean | undefined {
  const text = annotation(object, PREFIX + name)
  return text === 'true' ? true : text === 'false' ? false : undefined
}
