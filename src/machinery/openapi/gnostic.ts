/**
 * OpenAPI documents in protobuf, as client-go's discovery client asks for them: the messages of gnostic
 * (openapiv2/OpenAPIv2.proto, openapiv3/OpenAPIv3.proto), as far as the documents here have such fields. What other servers
 * publish may be anything: values that a field cannot have are left out.
 */
import { BackWriter } from '../codec/back-writer.ts'
import { WireType } from '../codec/wire.ts'

type Value = Readonly<Record<string, unknown>>
type Scalar = 'string' | 'bool' | 'int' | 'double' | 'yaml'
/** A field of a message: its number and what it is; `[]` in front: a list of these. */
type Field = readonly [number: number, type: string]
/** One of several fields, by the value itself. */
type Choice = (value: unknown) => Field | undefined

/**
 * The fields of a message by their JSON names. `x-`: all extensions; `*`: every other member, as messages of a name (1)
 * and a value (2).
 */
type Message = Readonly<Record<string, Field>>

const SCALARS: ReadonlySet<string> = new Set<Scalar>(['string', 'bool', 'int', 'double', 'yaml'])
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const isReference = (value: unknown): boolean => isObject(value) && Object.hasOwn(value, '$ref')
const LIMITS = ['maxLength', 'minLength', 'maxItems', 'minItems', 'uniqueItems', 'maxProperties', 'minProperties']
const BOUNDS = ['multipleOf', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum']

/** Fields with numbers in a row. */
function row(first: number, names: readonly string[], types: Readonly<Record<string, string>> = {}): Message {
  return Object.fromEntries(names.map((name, i): [string, Field] => [name, [first + i, types[name] ?? 'string']]))
}

const NUMBERS = {
  ...Object.fromEntries(BOUNDS.map((name) => [name, name.startsWith('exclusive') ? 'bool' : 'double'])),
  ...Object.fromEntries(LIMITS.map((name) => [name, name === 'uniqueItems' ? 'bool' : 'int'])),
}

const INFO: Message = { title: [1, 'string'] }

const V2: Readonly<Record<string, Message | Choice>> = {
  Document: { swagger: [1, 'string'], info: [2, 'Info'], paths: [8, 'Paths'], definitions: [9, 'Definitions'] },
  Info: { ...INFO, version: [2, 'string'] },
  Paths: { 'x-': [1, 'yaml'], '*': [2, 'PathItem'] },
  Definitions: { '*': [1, 'Schema'] },
  PathItem: {
    ...row(2, ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'], everyType('Operation')),
    parameters: [9, '[]ParameterOrReference'],
    'x-': [10, 'yaml'],
  },
  Operation: {
    tags: [1, '[]string'],
    description: [3, 'string'],
    operationId: [5, 'string'],
    produces: [6, '[]string'],
    consumes: [7, '[]string'],
    parameters: [8, '[]ParameterOrReference'],
    responses: [9, 'Responses'],
    'x-': [13, 'yaml'],
  },
  ParameterOrReference: (value) => (isReference(value) ? [2, 'Reference'] : [1, 'Parameter']),
  Parameter: (value) => ((value as Value)['in'] === 'body' ? [1, 'BodyParameter'] : [2, 'NonBodyParameter']),
  NonBodyParameter: (value) =>
    ({ header: [1, 'PathParameter'], query: [3, 'QueryParameter'], path: [4, 'PathParameter'] } as const)[
      (value as Value)['in'] as 'path'
    ],
  BodyParameter: { ...row(1, ['description', 'name', 'in']), required: [4, 'bool'], schema: [5, 'Schema'] },
  QueryParameter: {
    required: [1, 'bool'],
    in: [2, 'string'],
    description: [3, 'string'],
    name: [4, 'string'],
    allowEmptyValue: [5, 'bool'],
    type: [6, 'string'],
    format: [7, 'string'],
    uniqueItems: [20, 'bool'],
  },
  PathParameter: {
    required: [1, 'bool'],
    in: [2, 'string'],
    description: [3, 'string'],
    name: [4, 'string'],
    type: [5, 'string'],
    format: [6, 'string'],
    uniqueItems: [19, 'bool'],
  },
  Reference: { $ref: [1, 'string'], description: [2, 'string'] },
  Responses: { '*': [1, 'ResponseOrReference'], 'x-': [2, 'yaml'] },
  ResponseOrReference: (value) => (isReference(value) ? [2, 'Reference'] : [1, 'Response']),
  Response: { description: [1, 'string'], schema: [2, 'SchemaItem'], 'x-': [5, 'yaml'] },
  SchemaItem: () => [1, 'Schema'],
  Schema: {
    ...row(1, ['$ref', 'format', 'title', 'description', 'default'], { default: 'yaml' }),
    ...row(6, BOUNDS, NUMBERS),
    ...row(11, ['maxLength', 'minLength', 'pattern', ...LIMITS.slice(2)], NUMBERS),
    required: [19, '[]string'],
    enum: [20, '[]yaml'],
    additionalProperties: [21, 'AdditionalProperties'],
    type: [22, 'Type'],
    items: [23, 'Items'],
    allOf: [24, '[]Schema'],
    properties: [25, 'Definitions'],
    externalDocs: [29, 'ExternalDocs'],
    example: [30, 'yaml'],
    'x-': [31, 'yaml'],
  },
  AdditionalProperties: (value) => (typeof value === 'boolean' ? [2, 'bool'] : [1, 'Schema']),
  Type: () => [1, '[]string'],
  Items: () => [1, '[]Schema'],
  ExternalDocs: row(1, ['description', 'url']),
}

const V3: Readonly<Record<string, Message | Choice>> = {
  Document: { openapi: [1, 'string'], info: [2, 'Info'], paths: [4, 'Paths'], components: [5, 'Components'] },
  Info: { ...INFO, version: [6, 'string'] },
  Components: {
    schemas: [1, 'Schemas'],
    responses: [2, 'NamedResponses'],
    parameters: [3, 'NamedParameters'],
    securitySchemes: [7, 'SecuritySchemes'],
  },
  NamedResponses: { '*': [1, 'ResponseOrReference'] },
  NamedParameters: { '*': [1, 'ParameterOrReference'] },
  SecuritySchemes: { '*': [1, 'SecuritySchemeOrReference'] },
  SecuritySchemeOrReference: (value) => (isReference(value) ? [2, 'Reference'] : [1, 'SecurityScheme']),
  SecurityScheme: { ...row(1, ['type', 'description', 'name', 'in']), 'x-': [9, 'yaml'] },
  Schemas: { '*': [1, 'SchemaOrReference'] },
  Paths: { '*': [1, 'PathItem'], 'x-': [2, 'yaml'] },
  PathItem: {
    ...row(4, ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'], everyType('Operation')),
    parameters: [13, '[]ParameterOrReference'],
    'x-': [14, 'yaml'],
  },
  Operation: {
    tags: [1, '[]string'],
    description: [3, 'string'],
    operationId: [5, 'string'],
    parameters: [6, '[]ParameterOrReference'],
    requestBody: [7, 'BodyOrReference'],
    responses: [8, 'Responses'],
    'x-': [13, 'yaml'],
  },
  ParameterOrReference: (value) => (isReference(value) ? [2, 'Reference'] : [1, 'Parameter']),
  Parameter: {
    ...row(1, ['name', 'in', 'description', 'required'], { required: 'bool' }),
    schema: [10, 'SchemaOrReference'],
  },
  Reference: row(1, ['$ref', 'summary', 'description']),
  BodyOrReference: (value) => (isReference(value) ? [2, 'Reference'] : [1, 'Body']),
  Body: { description: [1, 'string'], content: [2, 'MediaTypes'], required: [3, 'bool'], 'x-': [4, 'yaml'] },
  MediaTypes: { '*': [1, 'MediaType'] },
  MediaType: { schema: [1, 'SchemaOrReference'], 'x-': [5, 'yaml'] },
  Responses: { default: [1, 'ResponseOrReference'], '*': [2, 'ResponseOrReference'], 'x-': [3, 'yaml'] },
  ResponseOrReference: (value) => (isReference(value) ? [2, 'Reference'] : [1, 'Response']),
  Response: { description: [1, 'string'], content: [3, 'MediaTypes'], 'x-': [5, 'yaml'] },
  SchemaOrReference: (value) => (isReference(value) ? [2, 'Reference'] : [1, 'Schema']),
  Schema: {
    nullable: [1, 'bool'],
    externalDocs: [6, 'ExternalDocs'],
    example: [7, 'yaml'],
    title: [9, 'string'],
    ...row(10, BOUNDS, NUMBERS),
    ...row(15, ['maxLength', 'minLength', 'pattern', ...LIMITS.slice(2)], NUMBERS),
    required: [23, '[]string'],
    enum: [24, '[]yaml'],
    type: [25, 'string'],
    ...row(26, ['allOf', 'oneOf', 'anyOf'], everyType('[]SchemaOrReference')),
    not: [29, 'Schema'],
    items: [30, 'Items'],
    properties: [31, 'Schemas'],
    additionalProperties: [32, 'AdditionalProperties'],
    default: [33, 'Default'],
    ...row(34, ['description', 'format']),
    'x-': [36, 'yaml'],
  },
  AdditionalProperties: (value) => (typeof value === 'boolean' ? [2, 'bool'] : [1, 'SchemaOrReference']),
  Items: () => [1, '[]SchemaOrReference'],
  // Other values have no place in this message.
  Default: (value) =>
    ({ number: [1, 'double'], boolean: [2, 'bool'], string: [3, 'string'] } as const)[typeof value as 'number'],
  ExternalDocs: row(1, ['description', 'url']),
}

/** Any name has this type. */
function everyType(type: string): Readonly<Record<string, string>> {
  return new Proxy({}, { get: () => type })
}

/** The whole version 3 document. */
export function encodeV3(document: object): Buffer {
  return encoded(V3, 'Document', document)
}

/** Members of `paths` or `definitions` of version 2: pieces that can be put one behind the other. */
export function encodeMembersV2(of: 'Paths' | 'Definitions', members: object): Buffer {
  return encoded(V2, of, members)
}

/** The version 2 document of a head and of encoded members. */
export function encodeV2(head: object, paths: readonly Buffer[], definitions: readonly Buffer[]): Buffer {
  const pieces = [encoded(V2, 'Document', head)]
  for (const [name, parts] of [
    ['paths', paths],
    ['definitions', definitions],
  ] as const) {
    const start = new BackWriter()
    start.varint(parts.reduce((sum, part) => sum + part.length, 0))
    start.tag((V2['Document'] as Message)[name]![0], WireType.bytes)
    pieces.push(start.finish(), ...parts)
  }
  return Buffer.concat(pieces)
}

type Messages = typeof V2

function encoded(messages: Messages, type: string, value: unknown): Buffer {
  const writer = new BackWriter()
  encode(writer, messages, type, value)
  return writer.finish()
}

/** Everything is written from its end: last members, last items first. */
function encode(w: BackWriter, messages: Messages, type: string, value: unknown): void {
  const message = messages[type]!
  if (value === null) return
  if (typeof message === 'function') {
    const field = message(value)
    if (field === undefined) return
    // A list stands for itself, one value for a list of one. What was chosen is written even if it is empty.
    const values = field[1].startsWith('[]') && !Array.isArray(value) ? [value] : value
    writeField(w, messages, field, values, true)
    return
  }
  if (!isObject(value)) return
  const names = Object.keys(value)
  for (let i = names.length - 1; i >= 0; i--) {
    const name = names[i]!
    const member = (value as Value)[name]
    if (member === undefined) continue
    const field = Object.hasOwn(message, name) ? message[name]! : undefined
    if (field !== undefined) writeField(w, messages, field, member, false)
    else if (name.startsWith('x-') && message['x-'] !== undefined) writeNamed(w, messages, message['x-'], name, member)
    else if (message['*'] !== undefined) writeNamed(w, messages, message['*'], name, member)
  }
}

function writeNamed(w: BackWriter, messages: Messages, [number, type]: Field, name: string, value: unknown): void {
  const before = w.size
  writeField(w, messages, [2, type], value, false)
  writeScalar(w, 1, 'string', name, false)
  w.message(number, before)
}

function writeField(w: BackWriter, messages: Messages, [number, type]: Field, value: unknown, chosen: boolean): void {
  if (type.startsWith('[]')) {
    const items: readonly unknown[] = Array.isArray(value) ? value : []
    for (let i = items.length - 1; i >= 0; i--) writeField(w, messages, [number, type.slice(2)], items[i], true)
    return
  }
  if (SCALARS.has(type)) {
    writeScalar(w, number, type as Scalar, value, chosen)
    return
  }
  const before = w.size
  encode(w, messages, type, value)
  w.message(number, before)
}

/** Zero values are left out, as proto3 does, but where one of several was chosen. */
function writeScalar(w: BackWriter, number: number, type: Scalar, value: unknown, chosen: boolean): void {
  switch (type) {
    case 'yaml': {
      // JSON is YAML. The text is field 2 of a message.
      const before = w.size
      w.text(`${JSON.stringify(value)}\n`)
      w.tag(2, WireType.bytes)
      w.message(number, before)
      return
    }
    case 'string':
      if (isObject(value) || (value === '' && !chosen)) return
      w.text(String(value))
      w.tag(number, WireType.bytes)
      return
    case 'double':
      if (isObject(value)) return
      if (Number(value) === 0 && !chosen) return
      w.double(Number(value))
      w.tag(number, WireType.fixed64)
      return
    default: {
      const whole = isObject(value) ? Number.NaN : Math.trunc(Number(value))
      // Neither is infinity, of which a varint has no end.
      if (!(Math.abs(whole) <= 2 ** 63) || (whole === 0 && !chosen)) return
      w.varint(whole)
      w.tag(number, WireType.varint)
    }
  }
}
