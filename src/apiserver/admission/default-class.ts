/** The class that stands for those which objects do not name. */
import type { KubeObject } from '../../machinery/object.ts'

/**
 * The name of the class with one of these annotations set to `true`: of several the newest, of equally new ones the
 * first by name.
 */
export function newestDefault(classes: readonly KubeObject[], annotations: readonly string[]): string | undefined {
  const isDefault = ({ metadata }: KubeObject): boolean => {
    const own = new Map(Object.entries(metadata.annotations ?? {}))
    return annotations.some((name) => own.get(name) === 'true')
  }
  return classes.filter(isDefault).toSorted(newestFirst)[0]?.metadata.name
}

function newestFirst(a: KubeObject, b: KubeObject): number {
  const times = (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '')
  return times !== 0 ? times : (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}
