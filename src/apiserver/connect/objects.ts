/** The objects that connections are looked up by, in a range. */
import type { KubeObject } from '../../machinery/object.ts'
import type { Range } from '../../store/contract.ts'
import { objectOf } from '../contract.ts'
import { rangeServices } from '../dial/services.ts'
import type { Objects } from './place.ts'

export function rangeObjects(range: Range): Objects {
  const find = (key: string, ...names: readonly string[]): KubeObject | undefined => {
    if (names.some((name) => name.includes('/'))) return undefined
    const entry = range.get(key + names.join('/'))
    return entry === undefined ? undefined : objectOf(entry)
  }
  return {
    ...rangeServices(range),
    pod: (namespace, name) => find('core/pods/', namespace, name),
    node: (name) => find('core/nodes//', name),
  }
}
