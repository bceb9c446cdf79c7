import type { View } from '../match/view.ts'

export function authorizerValues(_view: View): Readonly<Record<string, unknown>> {
  return {}
}
