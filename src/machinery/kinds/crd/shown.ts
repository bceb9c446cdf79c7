/** A schema as upstream's errors show it: the fields of its internal type, all of them. */
import { isSet, listOf, setEntry } from '../json.ts'
import type { Json } from '../json.ts'

const TEXT = ''
/** Upstream's fields in order; with the value of an absent one. */
const FIELDS: readonly (readonly [shown: string, name: string, absent: Json])[] = [
  ['ID', 'id', TEXT],
  ['Schema', '$schema', TEXT],
  ['Ref', '$ref', null],
  ['Description', 'description', TEXT],
  ['Type', 'type', TEXT],
  ['Nullable', 'nullable', false],
  ['Format', 'format', TEXT],
  ['Title', 'title', TEXT],
  ['Default', 'default', null],
  ['Maximum', 'maximum', null],
  ['ExclusiveMaximum', 'exclusiveMaximum', false],
  ['Minimum', 'minimum', null],
  ['ExclusiveMinimum', 'exclusiveMinimum', false],
  ['MaxLength', 'maxLength', null],
  ['MinLength', 'minLength', null],
  ['Pattern', 'pattern', TEXT],
  ['MaxItems', 'maxItems', null],
  ['MinItems', 'minItems', null],
  ['UniqueItems', 'uniqueItems', false],
  ['MultipleOf', 'multipleOf', null],
  ['Enum', 'enum', null],
  ['MaxProperties', 'maxProperties', null],
  ['MinProperties', 'minProperties', null],
  ['Required', 'required', null],
  ['Items', 'items', null],
  ['AllOf', 'allOf', null],
  ['OneOf', 'oneOf', null],
  ['AnyOf', 'anyOf', null],
  ['Not', 'not', null],
  ['Properties', 'properties', null],
  ['AdditionalProperties', 'additionalProperties', null],
  ['PatternProperties', 'patternProperties', null],
  ['Dependencies', 'dependencies', null],
  ['AdditionalItems', 'additionalItems', null],
  ['Definitions', 'definitions', null],
  ['ExternalDocs', 'externalDocs', null],
  ['Example', 'example', null],
  ['XPreserveUnknownFields', 'x-kubernetes-preserve-unknown-fields', null],
  ['XEmbeddedResource', 'x-kubernetes-embedded-resource', false],
  ['XIntOrString', 'x-kubernetes-int-or-string', false],
  ['XListMapKeys', 'x-kubernetes-list-map-keys', null],
  ['XListType', 'x-kubernetes-list-type', null],
  ['XMapType', 'x-kubernetes-map-type', null],
  ['XValidations', 'x-kubernetes-validations', null],
]

const LISTS: ReadonlySet<string> = new Set(['allOf', 'oneOf', 'anyOf'])
const MAPS: ReadonlySet<string> = new Set(['properties', 'patternProperties', 'definitions'])
const OPEN: ReadonlySet<string> = new Set(['additionalProperties', 'additionalItems'])

export function shownSchema(schema: Json): Json {
  const out: Json = {}
  for (const [shown, name, absent] of FIELDS) {
    const value: Json = schema[name]
    out[shown] = value === undefined || value === null ? absent : inner(name, value)
  }
  return out
}

function inner(name: string, value: Json): Json {
  if (LISTS.has(name)) return value.map(shownSchema)
  if (name === 'not') return shownSchema(value)
  if (name === 'items') {
    const many = Array.isArray(value)
    return { Schema: many ? null : shownSchema(value), JSONSchemas: many ? value.map(shownSchema) : null }
  }
  if (OPEN.has(name)) {
    const flag = typeof value === 'boolean'
    return { Allows: flag ? value : true, Schema: flag ? null : shownSchema(value) }
  }
  if (name === 'x-kubernetes-validations') return value.map(shownRule)
  if (!MAPS.has(name)) return value
  const out: Json = {}
  for (const key of Object.keys(value as object).toSorted()) setEntry(out, key, shownSchema(value[key]))
  return out
}

/** `subresources` of a version. */
export function shownSubresources(subresources: Json): Json {
  if (!isSet(subresources)) return null
  const { status, scale } = subresources
  const { specReplicasPath = '', statusReplicasPath = '', labelSelectorPath = null }: Json = scale ?? {}
  const paths = {
    SpecReplicasPath: specReplicasPath,
    StatusReplicasPath: statusReplicasPath,
    LabelSelectorPath: labelSelectorPath,
  }
  return { Status: isSet(status) ? {} : null, Scale: isSet(scale) ? paths : null }
}

/** `additionalPrinterColumns` of a version. */
export function shownColumns(columns: Json): Json {
  if (!isSet(columns)) return null
  return listOf(columns).map(
    ({ name = '', type = '', format = '', description = '', priority = 0, jsonPath = '' }) => ({
      Name: name,
      Type: type,
      Format: format,
      Description: description,
      Priority: priority,
      JSONPath: jsonPath,
    }),
  )
}

/** `selectableFields` of a version. */
export function shownFields(fields: Json): Json {
  return isSet(fields) ? listOf(fields).map(({ jsonPath = '' }) => ({ JSONPath: jsonPath })) : null
}

/** A rule of `x-kubernetes-validations`. */
export function shownRule(rule: Json): Json {
  return {
    Rule: rule.rule,
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  }
}
