/** One writer of the kill test: it owns one object at a time and does to it whatever clients do, one step after another. */
import type { Answer, Session } from '../support/session.ts'
import type { Subject } from './subject.ts'

/** What a step does; `delete` comes last, so that the next one creates again. */
export type Act = 'create' | 'update' | 'merge' | 'apply' | 'json' | 'delete'
const ACTS: readonly Act[] = ['create', 'update', 'merge', 'apply', 'json', 'delete']

export const actOf = (step: number): Act => ACTS[step % ACTS.length]!

/** What the object holds after a step: some bytes to many kilobytes. */
export const fillerOf = (name: string, step: number): string =>
  `${name} ${step} `.padEnd(20 + ((step * 7919 + name.length * 104_729) % 9000), 'v')

export interface Acknowledged {
  readonly step: number
  readonly revision: number
}

/** One object's writer. */
export interface Writer {
  readonly name: string
  readonly subject: Subject
}

function send(session: Session, { name, subject }: Writer, step: number): Promise<Answer> {
  const path = `${subject.collection}/${name}`
  const mark = { step: String(step), filler: fillerOf(name, step) }
  const patch = (to: string, type: string, body: unknown): Promise<Answer> =>
    session.send(to, { method: 'PATCH', body: JSON.stringify(body), type: `application/${type}`, keep: true })
  switch (actOf(step)) {
    case 'create':
      return session.send(subject.collection, {
        method: 'POST',
        body: JSON.stringify(subject.whole(name, mark)),
        keep: true,
      })
    case 'update':
      return update(session, path, subject.change(mark))
    case 'merge':
      return patch(path, 'merge-patch+json', subject.change(mark))
    case 'apply':
      return patch(`${path}?fieldManager=kill&force=true`, 'apply-patch+yaml', subject.whole(name, mark))
    case 'json': {
      const at = subject.patched === 'status' ? `${path}/status` : path
      const operations = Object.entries(mark).map(([key, value]) => ({
        op: 'replace',
        path: `${subject.pointer}/${key}`,
        value,
      }))
      return patch(at, 'json-patch+json', operations)
    }
    default:
      return session.send(path, { method: 'DELETE', keep: true })
  }
}

/** Reads, changes and writes back the whole, as clients do. */
async function update(session: Session, path: string, change: object): Promise<Answer> {
  const read = await session.send(path, { keep: true })
  const object = parsed(read.text)
  if (read.status !== 200 || object === undefined) return read
  const body = { ...object, ...change, metadata: { ...object.metadata, ...(change as Partial).metadata } }
  return session.send(path, { method: 'PUT', body: JSON.stringify(body), keep: true })
}

interface Partial {
  readonly metadata?: { readonly resourceVersion?: string }
}

/** Goes on until the connection breaks. `done` hears of each step whose answer has come whole. */
export async function write(
  session: Session,
  writer: Writer,
  done: (acknowledged: Acknowledged) => void,
): Promise<void> {
  for (let step = 0; ; step++) {
    let answer: Answer
    try {
      answer = await send(session, writer, step)
    } catch {
      return
    }
    // A stream that is cut ends without an error, and without all of its body.
    const object = parsed(answer.text)
    if (answer.status === 0 || object === undefined) return
    if (answer.status >= 300) throw new Error(`${actOf(step)} of ${writer.name}: ${answer.status} ${answer.text}`)
    done({ step, revision: Number(object.metadata?.resourceVersion ?? 0) })
  }
}

function parsed(text: string): Partial | undefined {
  try {
    return JSON.parse(text) as Partial
  } catch {
    return undefined
  }
}
