/** Conflicts: fields that an applier would change and somebody else manages. */
import { errors } from '../status.ts'
import type { StatusCause, StatusError } from '../status.ts'
import { pathText } from './element.ts'
import type { FieldSet } from './fieldset.ts'
import { goQuote } from '../quote.ts'
import { compareText } from './gotext.ts'
import type { Manager } from './managed.ts'

/** What one manager manages of what would change. */
export interface Conflict {
  /** Its id. */
  readonly id: string
  readonly manager: Manager
  readonly fields: FieldSet
}

/** Thrown within an apply; the outside gets {@link conflictStatus}. */
export class ApplyConflict extends Error {
  readonly conflicts: readonly Conflict[]

  constructor(conflicts: readonly Conflict[]) {
    super('conflicts')
    this.name = 'ApplyConflict'
    this.conflicts = [...conflicts].sort((a, b) => compareText(a.id, b.id))
  }
}

/** More fields than this are counted but not listed. */
const MAX_LISTED = 1000

/** 409 with a cause for each field, in the words that kubectl shows. */
export function conflictStatus(conflicts: readonly Conflict[]): StatusError {
  let count = 0
  const causes: StatusCause[] = []
  const lines: string[] = []
  let single = ''
  for (const { manager, fields } of conflicts) {
    const who = managerText(manager)
    lines.push(`conflicts with ${who}:`)
    for (const path of fields.paths()) {
      if (++count > MAX_LISTED) continue
      const field = pathText(path)
      causes.push({ reason: 'FieldManagerConflict', message: `conflict with ${who}`, field })
      lines.push(`- ${field}`)
      single = `conflict with ${who}: ${field}`
    }
  }
  const message = count === 1 ? `1 conflict: ${single}` : `${count} conflicts: ${lines.join('\n')}`
  return errors.applyConflict(`Apply failed with ${message}`, causes)
}

/** Upstream never has a time here: ids have none. */
function managerText({ manager, operation, apiVersion, subresource }: Manager): string {
  const name = goQuote(manager) + (subresource === '' ? '' : ` with subresource ${goQuote(subresource)}`)
  return operation === 'Update' ? `${name} using ${apiVersion}` : name
}

/** The conflicts without some fields. */
export function conflictsWithout(conflicts: readonly Conflict[], allowed: FieldSet): readonly Conflict[] {
  return conflicts.flatMap((conflict) => {
    const fields = conflict.fields.difference(allowed)
    return fields.isEmpty ? [] : [{ ...conflict, fields }]
  })
}
