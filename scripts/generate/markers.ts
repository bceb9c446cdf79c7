/** The validation and topology markers of a field, as facts. */
import type { FieldInfo } from '../../src/machinery/types/table.ts'

type Mutable<T> = { -readonly [K in keyof T]?: T[K] }

/** The facts that markers alone decide. */
export type MarkerFacts = Mutable<
  Pick<
    FieldInfo,
    | 'listType'
    | 'listMapKeys'
    | 'mapType'
    | 'patchStrategy'
    | 'patchMergeKey'
    | 'minimum'
    | 'maximum'
    | 'minLength'
    | 'maxLength'
    | 'maxItems'
    | 'format'
    | 'default'
  >
> & { immutable: boolean; optional: boolean; required: boolean; protobuf: boolean; enum: boolean }

const NUMBERS: Readonly<Record<string, 'minimum' | 'maximum' | 'minLength' | 'maxLength' | 'maxItems'>> = {
  'k8s:minimum': 'minimum',
  'k8s:maximum': 'maximum',
  'k8s:minLength': 'minLength',
  'k8s:maxLength': 'maxLength',
  'k8s:maxBytes': 'maxLength',
  'k8s:maxItems': 'maxItems',
}

/** Reads a field's markers. Alpha validation and markers under a feature gate do not count: they are off by default. */
export function markerFacts(markers: readonly string[]): MarkerFacts {
  const out: MarkerFacts = { immutable: false, optional: false, required: false, protobuf: true, enum: false }
  const keys: string[] = []
  for (const raw of markers) {
    const marker = raw.replace(/^k8s:beta\([^)]*\)=\+/, '')
    const [, name, value] = /^([^=]+?)(?:=(.*?))?(?:\s+#.*)?$/.exec(marker) ?? []
    if (name === undefined) continue
    const number = NUMBERS[name]
    if (number !== undefined) out[number] = Number(value)
    else apply(out, keys, name, value ?? '')
  }
  if (keys.length > 0) out.listMapKeys = keys
  return out
}

function apply(out: MarkerFacts, keys: string[], name: string, value: string): void {
  switch (name) {
    case 'optional':
      out.optional = true
      return
    case 'required':
      out.required = true
      return
    case 'listType':
      out.listType = value as 'atomic' | 'set' | 'map'
      return
    case 'listMapKey':
      if (!keys.includes(value)) keys.push(value)
      return
    case 'mapType':
    case 'structType':
      out.mapType = value as 'atomic' | 'granular'
      return
    case 'patchStrategy':
      out.patchStrategy = value.split(',') as ('merge' | 'replace' | 'retainKeys')[]
      return
    case 'patchMergeKey':
      out.patchMergeKey = value
      return
    case 'k8s:immutable':
      out.immutable = true
      return
    case 'k8s:format':
      out.format = value.replaceAll('"', '')
      return
    case 'k8s:enum':
    case 'enum':
      out.enum = true
      return
    case 'protobuf':
      out.protobuf = value !== 'false'
      return
    case 'default':
      if (!value.startsWith('ref(')) out.default = JSON.parse(value)
  }
}
