/** Reads the messages of a generated.proto: field names, numbers and wire kinds. */
import { readFileSync } from 'node:fs'

export interface ProtoField {
  name: string
  number: number
  repeated: boolean
  /** `string`, `int32`, `.k8s.io.api.core.v1.Pod`, or `map<K, V>`'s V with `map` set. */
  type: string
  map: boolean
}

/** Message name to its fields by name. Messages are one level deep in the generated files. */
export type ProtoFile = ReadonlyMap<string, ReadonlyMap<string, ProtoField>>

/** Parses one generated.proto. */
export function parseProto(file: string): ProtoFile {
  const messages = new Map<string, Map<string, ProtoField>>()
  let current: Map<string, ProtoField> | undefined
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const message = /^message (\w+) \{/.exec(line)
    if (message !== null) {
      current = new Map()
      messages.set(message[1]!, current)
      continue
    }
    const field = /^\s*(optional|repeated|required)?\s*(map<\s*string,\s*([\w.]+)>|[\w.]+) (\w+) = (\d+)/.exec(line)
    if (field === null || current === undefined || /^\s*\/\//.test(line)) continue
    const name = field[4]!
    current.set(name, {
      name,
      number: Number(field[5]),
      repeated: field[1] === 'repeated',
      type: field[3] ?? field[2]!,
      map: field[3] !== undefined,
    })
  }
  return messages
}
