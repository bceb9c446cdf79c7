/**
 * Version 2 documents of OpenAPI as version 3, as far as Kubernetes' own conversion goes (k8s.io/kube-openapi,
 * openapiconv): definitions become schemas, bodies and answers content by media type. Where upstream loses
 * something that version 3 can say, it is kept: references below `allOf` and the like and to shared parameters lead
 * somewhere, and operations without media types have the document's.
 */
type Json = Readonly<Record<string, unknown>>

/** A part of a version 3 document whose members come one by one. All but `paths` stand in `components`. */
export type Section = 'paths' | 'schemas' | 'responses' | 'parameters' | 'securitySchemes'

export interface MemberV3 {
  readonly section: Section
  readonly name: string
  readonly value: Json
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch']

/** What stands before a document's paths. */
export function headV3(document: Json): Json {
  const docs = externalDocs(document['externalDocs'])
  const { info } = document
  return { openapi: '3.0.0', ...(isRecord(info) && { info }), ...(docs !== undefined && { externalDocs: docs }) }
}

/**
 * All members of the version 3 document, section by section. Members that are not what the format says are left out.
 * @param most characters that schemas may come to that are repeated for each media type
 * @throws RangeError when they come to more, or when something is nested too deeply
 */
export function* membersV3(document: Json, most: number): Generator<MemberV3> {
  const conversion = new Conversion(document, most)
  for (const [name, item] of records(document['paths'])) {
    if (!name.startsWith('x-')) yield { section: 'paths', name, value: conversion.path(item) }
  }
  for (const [name, value] of records(document['definitions'])) {
    yield { section: 'schemas', name, value: schemaV3(value) }
  }
  for (const [name, response] of records(document['responses'])) {
    yield { section: 'responses', name, value: conversion.response(response, conversion.produces) }
  }
  for (const [name, parameter] of records(document['parameters'])) {
    if (parameter['in'] !== 'body') yield { section: 'parameters', name, value: parameterV3(parameter) }
  }
  for (const [name, scheme] of records(document['securityDefinitions'])) {
    yield { section: 'securitySchemes', name, value: securityScheme(scheme) }
  }
}

class Conversion {
  readonly produces: readonly string[] | undefined
  readonly #consumes: readonly string[] | undefined
  readonly #parameters: Json
  #left: number

  constructor(document: Json, most: number) {
    this.produces = strings(document['produces'])
    this.#consumes = strings(document['consumes'])
    this.#parameters = isRecord(document['parameters']) ? document['parameters'] : {}
    this.#left = most
  }

  path(item: Json): Json {
    const out = new Map<string, unknown>(some(item, ['$ref']))
    for (const method of METHODS) if (isRecord(item[method])) out.set(method, this.#operation(item[method]))
    const { parameters } = item
    if (Array.isArray(parameters)) out.set('parameters', parameters.filter(isRecord).map(parameterV3))
    return made(out, item)
  }

  #operation(operation: Json): Json {
    const out = new Map(some(operation, ['tags', 'summary', 'description', 'operationId', 'deprecated']))
    const docs = externalDocs(operation['externalDocs'])
    if (docs !== undefined) out.set('externalDocs', docs)
    const { parameters } = operation
    const rest: Json[] = []
    for (const parameter of Array.isArray(parameters) ? parameters.filter(isRecord) : []) {
      const body = this.#body(parameter)
      if (body === undefined) rest.push(parameterV3(parameter))
      else out.set('requestBody', this.#content(strings(operation['consumes']) ?? this.#consumes, body))
    }
    if (rest.length > 0) out.set('parameters', rest)
    const produces = strings(operation['produces']) ?? this.produces
    const responses = records(operation['responses']).filter(([code]) => code === 'default' || /^\d+$/.test(code))
    const answers = new Map(responses.map(([code, one]): [string, unknown] => [code, this.response(one, produces)]))
    out.set('responses', made(answers, operation['responses']))
    return made(out, operation)
  }

  /** The schema of a body, also of one that operations share: what it is in version 3 is no parameter. */
  #body(parameter: Json): Json | undefined {
    const { $ref } = parameter
    let found: unknown = parameter
    if (typeof $ref === 'string') {
      const name = $ref.replace('#/parameters/', '')
      found = Object.hasOwn(this.#parameters, name) ? this.#parameters[name] : undefined
    }
    if (!isRecord(found) || found['in'] !== 'body') return undefined
    const { schema } = found
    return isRecord(schema) ? schema : undefined
  }

  response(response: Json, produces: readonly string[] | undefined): Json {
    const { $ref, schema } = response
    if (typeof $ref === 'string') return { $ref: $ref.replace('#/responses/', '#/components/responses/') }
    const out = new Map(some(response, ['description']))
    if (!isRecord(schema)) return made(out, response)
    return { ...made(out, response), ...this.#content(produces, schema) }
  }

  #content(types: readonly string[] | undefined, schema: Json): Json {
    if (types === undefined) return {}
    const converted = schemaV3(schema)
    this.#left -= types.length * JSON.stringify(converted).length
    if (this.#left < 0) throw new RangeError('schemas are repeated for too many media types')
    return { content: Object.fromEntries(types.map((type) => [type, { schema: converted }])) }
  }
}

function parameterV3(parameter: Json): Json {
  const { $ref, schema } = parameter
  if (typeof $ref === 'string') return { $ref: $ref.replace('#/parameters/', '#/components/parameters/') }
  const out = new Map(some(parameter, ['name', 'in', 'description', 'required', 'allowEmptyValue']))
  const simple = () => Object.fromEntries(some(parameter, ['type', 'format', 'uniqueItems']))
  out.set('schema', isRecord(schema) ? schemaV3(schema) : simple())
  return made(out, parameter)
}

function securityScheme(scheme: Json): Json {
  const out = new Map(some(scheme, ['type', 'description', 'name', 'in']))
  const { flow, authorizationUrl, tokenUrl, scopes } = scheme
  if (typeof flow === 'string' && flow !== '') {
    const urls = some({ authorizationUrl, tokenUrl, scopes }, ['authorizationUrl', 'tokenUrl', 'scopes'])
    out.set('flows', Object.fromEntries([[flow, Object.fromEntries(urls)]]))
  }
  return made(out, scheme)
}

type Shape = 'schema' | 'list' | 'map' | 'data'
/** What members of a schema hold that is more than a value. */
const SHAPES: ReadonlyMap<string, Shape> = new Map([
  ...['items', 'additionalProperties', 'additionalItems', 'not'].map((name) => [name, 'schema'] as const),
  ...['allOf', 'anyOf', 'oneOf'].map((name) => [name, 'list'] as const),
  ...['properties', 'patternProperties', 'definitions'].map((name) => [name, 'map'] as const),
  ...['default', 'enum', 'example'].map((name) => [name, 'data'] as const),
])

function schemaV3(schema: Json): Json {
  const out = new Map<string, unknown>()
  for (const [name, value] of Object.entries(schema)) {
    const shape = name.startsWith('x-') ? 'data' : SHAPES.get(name)
    if (value === null && shape !== 'data') continue
    if (shape === 'map') {
      out.set(name, Object.fromEntries(records(value).map(([key, one]) => [key, schemaV3(one)])))
    } else if (Array.isArray(value) && (shape === 'list' || shape === 'schema')) {
      out.set(name, value.filter(isRecord).map(schemaV3))
    } else if (shape === 'schema') {
      if (isRecord(value)) out.set(name, schemaV3(value))
      else if (typeof value === 'boolean') out.set(name, value)
    } else if (shape !== 'list') out.set(name, value)
  }
  const ref = out.get('$ref')
  if (typeof ref === 'string') {
    const at = ref.indexOf('#/definitions/')
    const led = at < 0 ? ref : `#/components/schemas/${ref.slice(at + '#/definitions/'.length)}`
    out.delete('$ref')
    // A reference has nothing beside it in version 3.
    if (out.size === 0) return { $ref: led }
    out.set('allOf', [{ $ref: led }])
  }
  return Object.fromEntries(out)
}

function externalDocs(docs: unknown): Json | undefined {
  return isRecord(docs) ? Object.fromEntries(some(docs, ['description', 'url'])) : undefined
}

/** Of these members, those that say something. */
function some(from: Json, names: readonly string[]): [string, unknown][] {
  return names.flatMap((name): [string, unknown][] => {
    const value = Object.hasOwn(from, name) ? from[name] : undefined
    return value === undefined || value === null || value === '' || value === false ? [] : [[name, value]]
  })
}

/** These members, and the extensions of what they were made from. */
function made(members: ReadonlyMap<string, unknown>, from: unknown): Json {
  const extensions = isRecord(from) ? Object.entries(from).filter(([name]) => name.startsWith('x-')) : []
  return Object.fromEntries([...members, ...extensions])
}

const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

const records = (value: unknown): [string, Json][] =>
  Object.entries(isRecord(value) ? value : {}).filter((entry): entry is [string, Json] => isRecord(entry[1]))

const strings = (value: unknown): string[] | undefined =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : undefined
