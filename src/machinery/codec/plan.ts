/** What normalisation needs of a type, laid out for speed; made once per type. */
import { typeTable } from '../types/index.ts'
import type { FieldInfo, SpecialType, TypeInfo } from '../types/table.ts'

/** One field, ready to use. */
export interface Slot {
  readonly name: string
  readonly info: FieldInfo
  readonly owner: Plan
  /** Go writes the field even when it is absent. */
  readonly always: boolean
  /** A zero scalar is left out. */
  readonly dropZero: boolean
  /** What a missing field becomes when it is always written: `null`, a scalar, or a fresh struct (`undefined` here). */
  readonly zero: string | number | boolean | null | undefined
}

/** A type, ready to use. */
export interface Plan {
  readonly info: TypeInfo
  readonly special: SpecialType | undefined
  readonly slots: readonly Slot[]
  /** The slots that Go always writes. */
  readonly always: readonly Slot[]
  /** The type's name in Go, without and with its package. */
  readonly goName: string
  readonly goType: string
  /** Stored as JSON upstream, which keeps empty lists apart from absent ones; protobuf does not. */
  readonly keepsEmpty: boolean
}

const plans = new WeakMap<TypeInfo, Plan>()
const bySlot = new WeakMap<Slot, Plan>()

/** The plan of a type. */
export function planOf(info: TypeInfo): Plan {
  let plan = plans.get(info)
  if (plan === undefined) {
    plan = build(info)
    plans.set(info, plan)
  }
  return plan
}

/** The plan of an object field's element type. */
export function elementPlan(slot: Slot): Plan {
  let plan = bySlot.get(slot)
  if (plan === undefined) {
    plan = planOf(typeTable.type(slot.info.type!))
    bySlot.set(slot, plan)
  }
  return plan
}

/** A Go type as errors print it: `[]v1.Container`; `element` is what lies in the list or map. */
export function goTypeOf(slot: Slot, element: boolean): string {
  const { info } = slot
  const base = info.kind === 'object' ? elementPlan(slot).goType : SCALARS[info.kind]
  const inner = info.wrapped ? `[]${base}` : base
  if (element || info.container === 'none') return base
  return info.container === 'list' ? `[]${base}` : `map[string]${inner}`
}

const SCALARS = {
  string: 'string',
  bool: 'bool',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  bytes: '[]uint8',
} as const

/** Specials whose decoder reads another JSON type; errors name that one. */
const READ_AS: Partial<Record<SpecialType, string>> = {
  Time: 'string',
  MicroTime: 'string',
  Duration: 'string',
  IntOrString: 'int32',
}

const JSON_STORED = ['io.k8s.apiextensions-apiserver.', 'io.k8s.kube-aggregator.']

function build(info: TypeInfo): Plan {
  const parts = info.name.split('.')
  const goName = parts.at(-1)!
  const special = info.special
  const slots: Slot[] = []
  const always: Slot[] = []
  const plan: Plan = {
    info,
    special,
    slots,
    always,
    goName,
    goType: (special === undefined ? undefined : READ_AS[special]) ?? `${parts.at(-2)!}.${goName}`,
    keepsEmpty: JSON_STORED.some((prefix) => info.name.startsWith(prefix)),
  }
  for (const field of info.fields) {
    const slot = slotOf(plan, field)
    slots.push(slot)
    if (slot.always) always.push(slot)
  }
  return plan
}

function slotOf(owner: Plan, info: FieldInfo): Slot {
  const single = info.container === 'none'
  const struct = info.kind === 'object' && single && !info.pointer
  const always = info.omit === 'never' || (struct && info.omit === 'empty')
  const dropZero = single && !info.pointer && info.kind !== 'object' && info.omit !== 'never'
  return { name: info.name, info, owner, always, dropZero, zero: zeroOf(info, struct) }
}

function zeroOf(info: FieldInfo, struct: boolean): Slot['zero'] {
  if (info.container !== 'none' || info.pointer || info.kind === 'bytes') return null
  if (!struct) return info.kind === 'string' ? '' : info.kind === 'bool' ? false : 0
  switch (typeTable.type(info.type!).special) {
    case undefined:
      return undefined
    case 'Quantity':
      return '0'
    case 'Duration':
      return '0s'
    case 'IntOrString':
      return 0
    case 'JSONSchemaPropsOrBool':
      return false
    default:
      return null
  }
}
