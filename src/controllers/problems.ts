/** What controllers make of a write that failed. */
import { StatusError } from '../machinery/status.ts'

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Whether nothing can be made in a namespace because it goes: no failure of the object that wants it. */
export function isTerminating(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false
  return error.status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true
}
