/** A type's fields by protobuf number; messages that JSON inlines are nested here as they are on the wire. */
import type { TypeInfo } from '../types/table.ts'
import { type Plan, type Slot, planOf } from './plan.ts'

/** What a field number means. */
export type WireField =
  | { readonly slot: Slot; readonly index: number; readonly inline?: undefined }
  | { readonly inline: WirePlan; readonly slot?: undefined }

/** A message. Field numbers are small, so an array finds them. */
export interface WirePlan {
  readonly plan: Plan
  readonly fields: (WireField | undefined)[]
}

const plans = new WeakMap<TypeInfo, WirePlan>()

/** The wire plan of a type. */
export function wirePlanOf(info: TypeInfo): WirePlan {
  let found = plans.get(info)
  if (found === undefined) {
    found = build(planOf(info))
    plans.set(info, found)
  }
  return found
}

function build(plan: Plan): WirePlan {
  const root: WirePlan = { plan, fields: [] }
  plan.slots.forEach((slot, index) => {
    // apiVersion and kind travel in the envelope.
    if (slot.info.number === 0) return
    let at = root
    for (const number of slot.info.path) {
      let next = at.fields[number]
      if (next?.inline === undefined) {
        next = { inline: { plan, fields: [] } }
        at.fields[number] = next
      }
      at = next.inline
    }
    at.fields[slot.info.number] = { slot, index }
  })
  return root
}
