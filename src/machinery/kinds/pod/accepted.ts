/**
 * Specs that were found to be right. Pods of one template have equal specs, and a check of a spec says the same of an
 * equal one: it is remembered by its text. Bounded, and shared by all clusters of the process: it holds no decision that
 * depends on a cluster.
 */
import { jsonText } from '../../text.ts'

const MAX_SPECS = 256
const MAX_LENGTH = 8192
/** Of one text. */
const MAX_RULES = 16

/** The rules under which they are right, by their text; the one used last at the end. */
const accepted = new Map<string, Set<string>>()

/** Whether an equal spec was right under the same rules. */
export function isAccepted(spec: object, rules: string): boolean {
  const text = jsonText(spec)
  const known = accepted.get(text)
  if (known === undefined) return false
  accepted.delete(text)
  accepted.set(text, known)
  return known.has(rules)
}

/** Remembers a spec that is right. */
export function accept(spec: object, rules: string): void {
  const text = jsonText(spec)
  if (text.length > MAX_LENGTH) return
  const known = accepted.get(text)
  if (known !== undefined) {
    if (known.size >= MAX_RULES) known.clear()
    known.add(rules)
    return
  }
  if (accepted.size >= MAX_SPECS) for (const oldest of accepted.keys()) if (accepted.delete(oldest)) break
  accepted.set(text, new Set([rules]))
}
