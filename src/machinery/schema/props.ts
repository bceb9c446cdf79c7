/** A rule of `x-kubernetes-validations`. */
export interface ValidationRule {
  readonly rule: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate'
  readonly fieldPath?: string
  readonly optionalOldSelf?: boolean
}

/** A schema as a CustomResourceDefinition has it: JSON Schema with Kubernetes' extensions. */
export interface SchemaProps {
  readonly type?: string
  readonly format?: string
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly nullable?: boolean
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: boolean
  readonly exclusiveMaximum?: boolean
  readonly multipleOf?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly required?: readonly string[]
  readonly items?: SchemaProps
  readonly properties?: Readonly<Record<string, SchemaProps>>
  readonly additionalProperties?: SchemaProps | boolean
  readonly allOf?: readonly SchemaProps[]
  readonly anyOf?: readonly SchemaProps[]
  readonly oneOf?: readonly SchemaProps[]
  readonly not?: SchemaProps
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-embedded-resource'?: boolean
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: string
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[]
}

/** An object of tenant data. Keys may be anything: read with {@link own}, write with {@link setOwn}. */
export type Data = { [key: string]: unknown }

/** A value's own property. */
export function own(data: object, name: string): unknown {
  return Object.hasOwn(data, name) ? (data as Data)[name] : undefined
}

/** Sets a property, also one named `__proto__`. */
export function setOwn(data: Data, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(data, name, { value, enumerable: true, configurable: true, writable: true })
  } else {
    data[name] = value
  }
}

/** A JSON object; not a list, not an integer that only raw JSON can hold. */
export function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value)
}

/** A deep copy of a JSON value. */
export function copyJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyJson)
  if (!isObject(value)) return value
  const out: Data = {}
  for (const name of Object.keys(value)) setOwn(out, name, copyJson(value[name]))
  return out
}
