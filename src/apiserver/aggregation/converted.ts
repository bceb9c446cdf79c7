/** A server's version 2 document as one of version 3, kept as text in portions: others have their turn between them. */
import { createHash } from 'node:crypto'
import { encodeV3, headV3, membersV3, type Section } from '../../machinery/openapi/index.ts'
import type { Steps } from '../../machinery/schema/index.ts'
import type { Rendered } from '../openapi/rendered.ts'

export interface ConvertedSpec extends Rendered {
  /** Bytes that are kept. */
  readonly size: number
}

/** Members of one section, without braces. */
interface Portion {
  readonly section: Section
  readonly text: Buffer
}

/** Characters of a portion that are enough. */
const PORTION = 64 * 1024

/**
 * @param most bytes of the whole
 * @throws RangeError when it has more
 */
export function* convertedSpec(document: Readonly<Record<string, unknown>>, most: number): Steps<ConvertedSpec> {
  const head = headV3(document)
  const hash = createHash('sha512').update(JSON.stringify(head))
  const portions: Portion[] = []
  let size = 0
  let gathered: string[] = []
  let length = 0
  let section: Section = 'paths'
  const flush = (): void => {
    if (gathered.length === 0) return
    const text = Buffer.from(gathered.join(','))
    size += text.length
    if (size > most) throw new RangeError('the converted document is too large')
    portions.push({ section, text })
    hash.update(section).update('\0').update(text)
    gathered = []
    length = 0
  }
  for (const member of membersV3(document, most)) {
    if (member.section !== section || length > PORTION) flush()
    section = member.section
    const text = `${JSON.stringify(member.name)}:${JSON.stringify(member.value)}`
    gathered.push(text)
    length += text.length
    yield
  }
  flush()
  return {
    hash: hash.digest('hex').toUpperCase(),
    size,
    body: () => json(head, portions),
    protobuf: () => protobuf(head, portions),
  }
}

function* json(head: object, portions: readonly Portion[]): Generator<Buffer> {
  yield Buffer.from(`${JSON.stringify(head).slice(0, -1)},"paths":{`)
  let at: Section = 'paths'
  for (const [i, { section, text }] of portions.entries()) {
    if (section !== at) yield Buffer.from(`}${at === 'paths' ? ',"components":{' : ','}"${section}":{`)
    else if (i > 0) yield Buffer.from(',')
    at = section
    yield text
  }
  yield Buffer.from(at === 'paths' ? '},"components":{}}' : '}}}')
}

/** Messages one behind the other are one. */
function* protobuf(head: object, portions: readonly Portion[]): Generator<Buffer> {
  yield encodeV3(head)
  for (const { section, text } of portions) {
    const members = JSON.parse(`{${text.toString()}}`) as object
    yield encodeV3(section === 'paths' ? { paths: members } : { components: { [section]: members } })
  }
}
