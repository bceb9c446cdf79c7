/** The jobs of the helper thread: what the registry does, with texts instead of objects. */
import { decodeJson } from '../../machinery/codec/json.ts'
import { writeYaml } from '../../machinery/codec/yaml-write.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { typeTable } from '../../machinery/types/index.ts'
import { managersText } from '../../machinery/apply/index.ts'
import type { Call, Target } from '../contract.ts'
import { type Definition, prefixOf, servedResources } from '../crd/definition.ts'
import { decodePatch } from '../http/body.ts'
import { customOf, decodeObject, kindOf } from '../http/object.ts'
import { prettyItem, yamlItem } from '../http/form.ts'
import { messageOf, protobufOf } from '../http/protobuf.ts'
import { appliedObject } from '../registry/apply.ts'
import { type LiveCatalog, createCatalog } from '../registry/catalog.ts'
import { rulesOf, timestamp } from '../registry/core.ts'
import { trackWrite } from '../registry/managers.ts'
import { patchedObject } from '../registry/patch.ts'
import { problemsOf } from '../registry/problems.ts'
import type { JobName, Jobs, Place } from './contract.ts'

const builtins = createCatalog(typeTable.resources)
/** By edition of their definition; the oldest goes. */
const customs = new Map<string, LiveCatalog>()
const MAX_CUSTOMS = 16

function catalogOf(edition: string | undefined): LiveCatalog {
  if (edition === undefined) return builtins
  let catalog = customs.get(edition)
  if (catalog === undefined) {
    const [uid, spec, acceptedNames] = JSON.parse(edition) as [
      string,
      Definition['spec'],
      NonNullable<Definition['status']>['acceptedNames'],
    ]
    const definition: Definition = {
      metadata: { uid },
      spec,
      ...(acceptedNames !== undefined && acceptedNames !== null && { status: { acceptedNames } }),
    }
    catalog = createCatalog([])
    catalog.replace(prefixOf(definition), servedResources(definition, 0, () => undefined).resources)
    if (customs.size >= MAX_CUSTOMS) customs.delete(customs.keys().next().value!)
    customs.set(edition, catalog)
  }
  return catalog
}

interface Found {
  readonly catalog: LiveCatalog
  readonly target: Target
}

function find({ group, version, resource, subresource, namespace, name, edition }: Place): Found {
  const catalog = catalogOf(edition)
  const served = catalog.find(group, version, resource)
  if (served === undefined) throw new Error(`${group}/${version} ${resource} is not served`)
  return { catalog, target: { resource: served, namespace, name, ...(subresource !== undefined && { subresource }) } }
}

/** A whole number that a double may not hold. */
const LONG_NUMBER = /[:[,]-?\d{16}/
const objectOf = <T = KubeObject>(text: string): T =>
  (LONG_NUMBER.test(text) ? decodeJson(text).value : JSON.parse(text)) as T
const given = <T>(text: string | undefined): T | undefined => (text === undefined ? undefined : objectOf<T>(text))
/** Nobody's: rights were looked at before. */
const caller = (rest: Partial<Call>): Call & { warnings: string[] } => ({
  user: { name: '', groups: [] },
  warnings: [],
  ...rest,
})
const listText = (list: readonly unknown[] | undefined): string | undefined =>
  list === undefined ? undefined : (managersText(list) ?? JSON.stringify(list))

/** Prunes and defaults an object of the target's own kind. */
function shape({ catalog, target }: Found, object: KubeObject, now: number): void {
  const custom = customOf(target, kindOf(target))
  custom?.prune(object)
  custom?.defaults(object)
  if (target.resource.custom !== undefined || target.subresource !== undefined) return
  rulesOf(catalog.storage(target.resource)).defaults?.(object, () => timestamp(now))
}

type Work = { [N in JobName]: (input: Jobs[N]['input']) => Jobs[N]['output'] | Promise<Jobs[N]['output']> }

export const jobs: Work = {
  decode({ place, bytes, mediaType, unknown, now }) {
    const found = find(place)
    const { target } = found
    const { object, ...rest } = decodeObject(Buffer.from(bytes.buffer), mediaType, target, unknown)
    shape(found, object, now)
    return { text: JSON.stringify(object), ...rest }
  },
  decodePatch({ bytes, type }) {
    const { value, problems } = decodePatch(Buffer.from(bytes.buffer), type)
    return { text: JSON.stringify(value), problems }
  },
  patch({ place, type, before, body, now, validation: fieldValidation }) {
    const found = find(place)
    const { target } = found
    const call = caller({ ...(fieldValidation !== undefined && { fieldValidation }) })
    const { object, emptied } = patchedObject(call, target, type, objectOf(before), objectOf<unknown>(body))
    shape(found, object, now)
    return { text: JSON.stringify(object), emptied, warnings: call.warnings }
  },
  async apply({ place, before, config, force, manager, now, validation: fieldValidation }) {
    const found = find(place)
    const { catalog, target } = found
    const call = caller({ fieldManager: manager, ...(fieldValidation !== undefined && { fieldValidation }) })
    const old = given<KubeObject>(before)
    const { object, list } = await appliedObject(
      { catalog, now: () => now },
      call,
      target,
      objectOf<KubeObject>(config),
      force,
      old,
    )
    shape(found, object, now)
    return { text: JSON.stringify(object), list: listText(list), warnings: call.warnings }
  },
  async track({ place, text, old, written, stored, emptied, manager, now }) {
    const { catalog, target } = find(place)
    const named = { written: given<unknown[]>(written), stored: given<unknown[]>(stored), emptied }
    const call = caller({ fieldManager: manager })
    const list = await trackWrite({ catalog, now: () => now }, call, target, objectOf(text), given(old), named)
    return list === named.stored ? stored : listText(list)
  },
  async check({ place, text, old, ...looked }) {
    const { catalog, target } = find(place)
    const call = caller({})
    const errors = await problemsOf({ catalog }, call, target, objectOf(text), given(old), looked)
    return { errors, warnings: call.warnings }
  },
  render({ text, form, item }) {
    const whole = objectOf(text)
    const { kind: _kind, apiVersion: _apiVersion, ...rest } = whole
    const object = item === 'bare' ? rest : whole
    switch (form) {
      case 'protobuf':
        return item === undefined ? protobufOf(whole) : messageOf(whole, object)
      case 'yaml':
        return Buffer.from(item === undefined ? writeYaml(object) : yamlItem(object))
      case 'pretty':
        return Buffer.from(item === undefined ? JSON.stringify(object, null, 2) : prettyItem(object))
      default:
        return Buffer.from(JSON.stringify(object))
    }
  },
}
