/** One writer of the kill test: it owns one object at a time and does to it whatever clients do, one step after another. */
import type { Answer, Session } from '../support/session.ts'

export const NAMESPACE = 'kill'
const CONFIGMAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`

/** What a step does; `delete` comes fifth, so that the next one creates again. */
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

const CONTENT = {
  update: 'application/json',
  create: 'application/json',
  merge: 'application/merge-patch+json',
} as const

function send(session: Session, name: string, step: number): Promise<Answer> {
  const act = actOf(step)
  const path = `${CONFIGMAPS}/${name}`
  const data = { step: String(step), filler: fillerOf(name, step) }
  const whole = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })
  switch (act) {
    case 'create':
      return session.send(CONFIGMAPS, { method: 'POST', body: whole, type: CONTENT.create, keep: true })
    case 'update':
      return session.send(path, { method: 'PUT', body: whole, type: CONTENT.update, keep: true })
    case 'merge':
      return session.send(path, { method: 'PATCH', body: JSON.stringify({ data }), type: CONTENT.merge, keep: true })
    case 'apply': {
      const type = 'application/apply-patch+yaml'
      return session.send(`${path}?fieldManager=kill&force=true`, { method: 'PATCH', body: whole, type, keep: true })
    }
    case 'json': {
      const operations = Object.entries(data).map(([key, value]) => ({ op: 'replace', path: `/data/${key}`, value }))
      const type = 'application/json-patch+json'
      return session.send(path, { method: 'PATCH', body: JSON.stringify(operations), type, keep: true })
    }
    default:
      return session.send(path, { method: 'DELETE', keep: true })
  }
}

/** Goes on until the connection breaks. `done` hears of each step whose answer has come whole. */
export async function write(session: Session, name: string, done: (acknowledged: Acknowledged) => void): Promise<void> {
  for (let step = 0; ; step++) {
    let answer: Answer
    try {
      answer = await send(session, name, step)
    } catch {
      return
    }
    // A stream that is cut ends without an error, and without all of its body.
    const object = parsed(answer.text)
    if (answer.status === 0 || object === undefined) return
    if (answer.status >= 300) throw new Error(`${actOf(step)} of ${name}: ${answer.status} ${answer.text}`)
    done({ step, revision: Number(object.metadata?.resourceVersion ?? 0) })
  }
}

function parsed(text: string): { metadata?: { resourceVersion?: string } } | undefined {
  try {
    return JSON.parse(text) as { metadata?: { resourceVersion?: string } }
  } catch {
    return undefined
  }
}
