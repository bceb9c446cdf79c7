/** Cells that many kinds have. Reading an object here never fails, whatever is missing in it. */
import { ageOf } from '../duration.ts'
import type { KubeObject, StringMap } from '../object.ts'
import { formatLabelSelector, labelSelectorOf, SelectorError } from '../selector/labels.ts'
import type { LabelSelectorObject } from '../selector/labels.ts'
import type { Cell } from './contract.ts'

export const nameOf = (object: KubeObject): string => object.metadata.name ?? ''
export const age = (object: KubeObject, now: number): string => ageOf(object.metadata.creationTimestamp, now)
export const text = (value: string | null | undefined): string => value ?? ''
export const int = (value: number | null | undefined): number => value ?? 0
/** The text, or `<none>` when there is none. */
export const orNone = (value: string | null | undefined): string =>
  value === null || value === undefined || value === '' ? '<none>' : value
/** Absent lists are empty. */
export const list = <T>(value: readonly T[] | null | undefined): readonly T[] => value ?? []
export const ratio = (part: number | null | undefined, whole: number | null | undefined): string =>
  `${int(part)}/${int(whole)}`

/** `a=1,b=2`, or `<none>` */
export function labelsText(labels: StringMap | null | undefined): string {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return pairs.length === 0 ? '<none>' : pairs.map(([key, value]) => `${key}=${value}`).join(',')
}

/** A metav1.LabelSelector as text; what cannot be read gives `bad`. */
export function selectorText(selector: LabelSelectorObject | undefined, none = '<none>', bad = '<error>'): string {
  try {
    const formatted = formatLabelSelector(labelSelectorOf(selector))
    return formatted === '' ? none : formatted
  } catch (error) {
    if (error instanceof SelectorError) return bad
    throw error
  }
}

/** A metav1.LabelSelector as Go prints the struct. */
export function selectorAsGo({ matchLabels, matchExpressions }: LabelSelectorObject): string {
  const labels = Object.entries(matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const pairs = labels.map(([key, value]) => `${key}: ${value},`).join('')
  const requirements = list(matchExpressions)
    .map(
      ({ key, operator, values }) =>
        `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${list(values).join(' ')}],},`,
    )
    .join('')
  return `&LabelSelector{MatchLabels:map[string]string{${pairs}},MatchExpressions:[]LabelSelectorRequirement{${requirements}},}`
}

interface Container {
  readonly name?: string
  readonly image?: string
}

/** Names and images of a pod template's containers: two cells. */
export function containerCells(podSpec: { readonly containers?: readonly Container[] } | undefined): [string, string] {
  const containers = list(podSpec?.containers)
  return [containers.map((one) => text(one.name)).join(','), containers.map((one) => text(one.image)).join(',')]
}

/** The first items, and how many more there are. */
export function firstOf(items: readonly string[], max: number, none: string): string {
  const shown = items.slice(0, max).join(',')
  if (items.length > max) return `${shown} + ${items.length - max} more...`
  return shown === '' ? none : shown
}

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly error?: string
}

/** Whether the first condition of a type is True. */
export function isTrue(conditions: readonly Condition[] | null | undefined, type: string): boolean {
  return list(conditions).find((one) => one.type === type)?.status === 'True'
}

/** Whether an annotation or label is there with this value. */
export function hasEntry(map: StringMap | undefined, key: string, value: string): boolean {
  return map !== undefined && Object.hasOwn(map, key) && map[key] === value
}

/** Name, some fields, age: what most small kinds show. */
export function simple(...fields: readonly ((object: KubeObject) => Cell)[]) {
  return (object: KubeObject, now: number): Cell[] => [
    nameOf(object),
    ...fields.map((field) => field(object)),
    age(object, now),
  ]
}
