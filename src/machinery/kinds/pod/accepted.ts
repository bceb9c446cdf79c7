/**
 * Specs that were found to be right. Pods of one template have equal specs, and a check of a spec says the same of an
 * equal one: it is remembered by its text. Bounded, and shared by all clusters of the process: it holds no decision that
 * depends on a cluster.
 */
import { jsonText } from '../../text.ts'

const MAX_SPECS = 256
const MAX_LENGTH = 8192

/** By rules and text, the one used last at the end. */
const accepted = new Set<string>()

/** Whether an equal spec was right under the same rules. */
export function isAccepted(spec: object, rules: string): boolean {
  const text = jsonText(spec)
  const key = rules + text
  if (!accepted.has(key)) return false
  accepted.delete(key)
  accepted.add(key)
  return true
}

/** Remembers a spec that is right. */
export function accept(spec: object, rules: string): void {
  const text = jsonText(spec)
  if (text.length > MAX_LENGTH) return
  if (accepted.size >= MAX_SPECS) for (const oldest of accepted) if (accepted.delete(oldest)) break
  accepted.add(rules + text)
}
