/** The media types of request bodies. */

/** How a body is written. */
export type BodyFormat = 'json' | 'yaml' | 'protobuf'

const FORMATS: ReadonlyMap<string, BodyFormat> = new Map([
  ['application/json', 'json'],
  ['application/yaml', 'yaml'],
  ['application/vnd.kubernetes.protobuf', 'protobuf'],
])

/** What a request may be written in, in the order in which errors list it. Custom resources are no protobuf. */
export const BODY_MEDIA_TYPES: readonly string[] = [...FORMATS.keys()]
export const CUSTOM_BODY_MEDIA_TYPES: readonly string[] = ['application/json', 'application/yaml']

/** The format of a Content-Type header's value; none means JSON; `undefined` for what is not supported (CBOR too). */
export function formatOf(mediaType: string): BodyFormat | undefined {
  if (mediaType === '' || mediaType === 'application/json') return 'json'
  const end = mediaType.indexOf(';')
  const name = end === -1 ? mediaType : mediaType.slice(0, end)
  return FORMATS.get(name.trim().toLowerCase())
}
