/** Turns Go declarations and protobuf messages into the facts of the type table. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FieldInfo, SpecialType, ValueKind } from '../../src/machinery/types/table.ts'
import {
  type GoConstant,
  type GoDeclaration,
  type GoField,
  type GoPackage,
  type GoType,
  parsePackage,
} from './golang.ts'
import { markerFacts } from './markers.ts'
import type { Modules } from './modules.ts'
import { type ProtoFile, parseProto } from './proto.ts'

/** A type as it goes into the table. */
export interface TypeFacts {
  name: string
  special?: SpecialType
  atomic: boolean
  fields: FieldInfo[]
}

const META = 'k8s.io/apimachinery/pkg/apis/meta/v1'
const RUNTIME = 'k8s.io/apimachinery/pkg/runtime'
const EXTENSIONS = 'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1'

const SPECIAL: ReadonlyMap<string, SpecialType> = new Map([
  [`${META}.Time`, 'Time'],
  [`${META}.MicroTime`, 'MicroTime'],
  [`${META}.Duration`, 'Duration'],
  [`${META}.FieldsV1`, 'FieldsV1'],
  [`${RUNTIME}.RawExtension`, 'RawExtension'],
  ['k8s.io/apimachinery/pkg/api/resource.Quantity', 'Quantity'],
  ['k8s.io/apimachinery/pkg/util/intstr.IntOrString', 'IntOrString'],
  [`${EXTENSIONS}.JSON`, 'JSON'],
  [`${EXTENSIONS}.JSONSchemaPropsOrBool`, 'JSONSchemaPropsOrBool'],
  [`${EXTENSIONS}.JSONSchemaPropsOrArray`, 'JSONSchemaPropsOrArray'],
  [`${EXTENSIONS}.JSONSchemaPropsOrStringArray`, 'JSONSchemaPropsOrStringArray'],
])

const SCALARS: Readonly<Record<string, ValueKind>> = {
  string: 'string',
  bool: 'bool',
  int32: 'int32',
  uint32: 'int64',
  int64: 'int64',
  uint8: 'int32',
  float64: 'double',
  float32: 'double',
}

/** What a Go type means in JSON. */
interface Shape {
  kind: ValueKind
  container: 'none' | 'list' | 'map'
  wrapped: boolean
  pointer: boolean
  /** The struct, for `object`. */
  declaration?: GoDeclaration
  /** The named string type, for enums. */
  named?: GoDeclaration
}

/** Everything that the packages declare; types are resolved when they are asked for. */
export class Universe {
  private readonly modules: Modules
  private readonly packages = new Map<string, GoPackage>()
  private readonly protos = new Map<string, ProtoFile>()
  private readonly done = new Map<string, TypeFacts>()

  constructor(modules: Modules) {
    this.modules = modules
  }

  /** Go structs of a package that are kinds: they embed TypeMeta. */
  kinds(path: string): string[] {
    const out: string[] = []
    for (const declaration of this.package(path).types.values()) {
      const structure = this.struct(declaration)
      if (
        structure?.fields?.some((f) => f.embedded && f.name === 'TypeMeta') === true &&
        declaration.name !== 'TypeMeta'
      )
        out.push(declaration.name)
    }
    return out.sort()
  }

  /** Adds a type and all that it refers to; returns its name in the table. */
  add(path: string, name: string): string {
    const declaration = this.package(path).types.get(name)
    if (declaration === undefined) throw new Error(`${path} has no type ${name}`)
    return this.addDeclaration(declaration)
  }

  /** All added types by name. */
  get types(): TypeFacts[] {
    return [...this.done.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  private addDeclaration(declaration: GoDeclaration): string {
    const name = this.tableName(declaration)
    if (this.done.has(name)) return name
    const atomic = declaration.markers.some((m) => m === 'structType=atomic' || m === 'mapType=atomic')
    const facts: TypeFacts = { name, atomic, fields: [] }
    this.done.set(name, facts)
    const special = SPECIAL.get(`${declaration.package}.${declaration.name}`)
    if (special !== undefined) {
      facts.special = special
      if (special.startsWith('JSONSchemaProps')) this.add(EXTENSIONS, 'JSONSchemaProps')
      return name
    }
    const seen = new Map<string, FieldInfo>()
    this.collect(declaration, [], seen, facts.fields)
    return name
  }

  private collect(declaration: GoDeclaration, path: readonly number[], seen: Map<string, FieldInfo>, out: FieldInfo[]) {
    const structure = this.struct(declaration)
    if (structure?.fields === undefined) throw new Error(`${declaration.package}.${declaration.name} is no struct`)
    const messages = this.proto(structure.package).get(structure.name)
    for (const field of structure.fields) {
      const json = field.tags.get('json')
      if (json === undefined || json === '-') continue
      const [jsonName, ...options] = json.split(',')
      const proto = messages?.get(protoName(field, jsonName!))
      if (jsonName === '') {
        const inner = this.shape(field.type).declaration
        if (inner === undefined) throw new Error(`${structure.name}.${field.name}: inlined type is no struct`)
        const inlined = field.tags.has('protobuf') && proto !== undefined ? [...path, proto.number] : path
        // TypeMeta travels in the envelope, not in the message.
        this.collect(inner, proto === undefined && inner.name === 'TypeMeta' ? [-1] : inlined, seen, out)
        continue
      }
      if (seen.has(jsonName!)) throw new Error(`${structure.name}: two fields ${jsonName}`)
      const envelope = path[0] === -1
      const info = this.field(structure, field, jsonName!, options, envelope ? undefined : proto, envelope ? [] : path)
      seen.set(jsonName!, info)
      out.push(info)
    }
  }

  private field(
    owner: GoDeclaration,
    field: GoField,
    name: string,
    options: readonly string[],
    proto: { number: number; type: string } | undefined,
    path: readonly number[],
  ): FieldInfo {
    const { optional, required, protobuf, enum: enumerated, ...facts } = markerFacts(field.markers)
    const shape = this.shape(field.type)
    const onWire = protobuf && proto !== undefined
    if (onWire) checkWire(`${owner.name}.${field.name}`, shape.kind, proto.type)
    const omit = options.includes('omitzero') ? 'zero' : options.includes('omitempty') ? 'empty' : 'never'
    if (optional && required) throw new Error(`${owner.name}.${field.name} is both optional and required`)
    const values = shape.named === undefined ? undefined : this.enumOf(shape.named, enumerated)
    return {
      name,
      number: onWire ? proto.number : 0,
      path,
      kind: shape.kind,
      container: shape.container,
      wrapped: shape.wrapped,
      ...(shape.declaration === undefined ? {} : { type: this.addDeclaration(shape.declaration) }),
      required: required || (!optional && omit === 'never'),
      omit,
      pointer: shape.pointer && shape.container === 'none',
      ...(values === undefined ? {} : { enum: values }),
      ...facts,
    }
  }

  private enumOf(named: GoDeclaration, marked: boolean): string[] | undefined {
    if (!marked && !named.markers.some((m) => m === 'enum' || m === 'k8s:enum')) return undefined
    const values = new Set<string>()
    for (const constant of this.package(named.package).constants) {
      const type = constant.type
      if (type.form !== 'name' || this.aliasTarget(type).name !== named.name) continue
      const value = this.valueOf(constant)
      if (value !== undefined) values.add(value)
    }
    return values.size === 0 ? undefined : [...values].sort()
  }

  private valueOf({ value }: GoConstant): string | undefined {
    if (typeof value === 'string') return value
    if (!this.isKnown(value.package)) return undefined
    const target = this.package(value.package).constants.find((c) => c.name === value.name)
    return target === undefined ? undefined : this.valueOf(target)
  }

  private aliasTarget(type: { package: string; name: string }): { package: string; name: string } {
    const declaration = this.isKnown(type.package) ? this.package(type.package).types.get(type.name) : undefined
    if (declaration?.alias !== true || declaration.underlying?.form !== 'name') return type
    return this.aliasTarget(declaration.underlying)
  }

  private shape(type: GoType): Shape {
    if (type.form === 'pointer') return { ...this.shape(type.of), pointer: true }
    if (type.form === 'list') {
      if (type.of.form === 'name' && ['byte', 'uint8'].includes(type.of.name)) return scalar('bytes')
      const inner = this.shape(type.of)
      if (inner.container !== 'none') throw new Error('a list of lists')
      return { ...inner, container: 'list', pointer: false }
    }
    if (type.form === 'map') {
      const inner = this.shape(type.of)
      if (inner.container === 'map') throw new Error('a map of maps')
      return { ...inner, container: 'map', wrapped: inner.container === 'list', pointer: false }
    }
    if (type.form === 'other') {
      if (type.text === 'interface{}') return { ...scalar('object'), declaration: this.interfaceType() }
      throw new Error(`unknown Go type ${type.text}`)
    }
    const kind = SCALARS[type.name]
    if (kind !== undefined && !this.package(type.package).types.has(type.name)) return scalar(kind)
    return this.namedShape(type)
  }

  private namedShape(type: { package: string; name: string }): Shape {
    const target = this.aliasTarget(type)
    const declaration = this.package(target.package).types.get(target.name)
    if (declaration === undefined) throw new Error(`unknown type ${target.package}.${target.name}`)
    const special = SPECIAL.has(`${target.package}.${target.name}`)
    if (declaration.fields !== undefined || special) return { ...scalar('object'), declaration }
    const underlying = this.shape(declaration.underlying!)
    if (underlying.kind === 'object' && underlying.container === 'none') return { ...underlying, declaration }
    // A named list is a message of its own in protobuf when the generated file has one.
    const message = this.proto(declaration.package).get(declaration.name)
    const wrapped = underlying.container === 'list' && message !== undefined
    return { ...underlying, wrapped: underlying.wrapped || wrapped, named: declaration }
  }

  private interfaceType(): GoDeclaration {
    return this.package(EXTENSIONS).types.get('JSON')!
  }

  private struct(declaration: GoDeclaration): GoDeclaration | undefined {
    if (declaration.fields !== undefined) return declaration
    const under = declaration.underlying
    if (under?.form !== 'name' || !this.isKnown(under.package)) return undefined
    const target = this.package(under.package).types.get(under.name)
    return target === undefined || target === declaration ? undefined : this.struct(target)
  }

  private tableName(declaration: GoDeclaration): string {
    const prefix = [...declaration.markers, ...this.package(declaration.package).markers]
      .map((m) => /^k8s:openapi-model-package=(.+)$/.exec(m)?.[1])
      .find((m) => m !== undefined)
    if (prefix === undefined) throw new Error(`${declaration.package} has no OpenAPI name`)
    return `${prefix}.${declaration.name}`
  }

  private isKnown(path: string): boolean {
    return this.folder(path) !== undefined
  }

  private package(path: string): GoPackage {
    let found = this.packages.get(path)
    if (found === undefined) {
      const folder = this.folder(path)
      if (folder === undefined) throw new Error(`unknown package ${path}`)
      found = parsePackage(path, folder)
      this.packages.set(path, found)
    }
    return found
  }

  private proto(path: string): ProtoFile {
    let found = this.protos.get(path)
    if (found === undefined) {
      const file = join(this.folder(path) ?? '', 'generated.proto')
      found = existsSync(file) ? parseProto(file) : new Map()
      this.protos.set(path, found)
    }
    return found
  }

  private folder(path: string): string | undefined {
    const roots: readonly (readonly [string, string])[] = [
      ['k8s.io/api/', this.modules.api],
      ['k8s.io/apimachinery/', this.modules.apimachinery],
      ['k8s.io/apiextensions-apiserver/', this.modules.apiextensions],
      ['k8s.io/kube-aggregator/', this.modules.aggregator],
    ]
    const root = roots.find(([prefix]) => path.startsWith(prefix))
    return root === undefined ? undefined : join(root[1], path.slice(root[0].length))
  }
}

/** The group that a package serves, from its register.go. */
export function groupNameOf(folder: string): string {
  const text = readFileSync(join(folder, 'register.go'), 'utf8')
  const found = /^const GroupName = "([^"]*)"/m.exec(text)
  if (found === null) throw new Error(`${folder} has no GroupName`)
  return found[1]!
}

const scalar = (kind: ValueKind): Shape => ({ kind, container: 'none', wrapped: false, pointer: false })

function protoName(field: GoField, jsonName: string): string {
  const named = /(?:^|,)name=(\w+)/.exec(field.tags.get('protobuf') ?? '')
  return named?.[1] ?? (jsonName === '' ? field.name.charAt(0).toLowerCase() + field.name.slice(1) : jsonName)
}

const WIRE: Readonly<Record<ValueKind, readonly string[]>> = {
  string: ['string'],
  bool: ['bool'],
  int32: ['int32'],
  int64: ['int64', 'uint32'],
  double: ['double'],
  bytes: ['bytes'],
  object: [],
}

/** Go's type and protobuf's must say the same. */
function checkWire(where: string, kind: ValueKind, type: string): void {
  const fine = kind === 'object' ? /^[.A-Z]/.test(type) : WIRE[kind].includes(type) || /^[A-Z]/.test(type)
  if (!fine) throw new Error(`${where}: Go says ${kind}, protobuf ${type}`)
}
