/** Parameters of a policy: the objects that a binding refers to, as they are now. */
import type { Catalog, ServedResource } from '../../contract.ts'
import type { KubeObject } from '../../../machinery/object.ts'
import type { LabelSelectorObject } from '../../../machinery/selector/labels.ts'
import { matchesLabels } from '../../../machinery/selector/labels.ts'
import { convert, versionOf } from '../../registry/convert.ts'
import type { ClusterState } from '../contract.ts'
import { selectorOf } from '../match/selectors.ts'

export interface ParamKind {
  readonly apiVersion?: string
  readonly kind?: string
}

export interface ParamRef {
  readonly name?: string
  readonly namespace?: string
  readonly selector?: LabelSelectorObject
  readonly parameterNotFoundAction?: 'Allow' | 'Deny'
}

/** What is wrong with a policy or a binding, as it turns out when it is used. */
export class ConfigError extends Error {}

interface Kinds {
  readonly generation: number
  readonly byKind: ReadonlyMap<string, ServedResource>
}
const kinds = new WeakMap<Catalog, Kinds>()

/** The resource of a kind of parameters, if it is served. */
export function paramResource(catalog: Catalog, { apiVersion = '', kind = '' }: ParamKind): ServedResource | undefined {
  let known = kinds.get(catalog)
  if (known?.generation !== catalog.generation) {
    const byKind = new Map<string, ServedResource>()
    for (const served of catalog.all()) {
      const { info } = served
      // Reviews and the like are no objects that can be referred to.
      if (info.verbs.includes('get')) byKind.set(`${versionOf(served)} ${info.kind}`, served)
    }
    kinds.set(catalog, (known = { generation: catalog.generation, byKind }))
  }
  return known!.byKind.get(`${apiVersion} ${kind}`)
}

/** `example.com/v1, Kind=Limit` */
export function kindText({ apiVersion = '', kind = '' }: ParamKind): string {
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`
}

/**
 * The parameters that a binding is evaluated with, one after the other; null alone when it uses none. None at all:
 * the binding has no effect. @throws ConfigError
 */
export function paramsOf(
  state: ClusterState,
  served: ServedResource | undefined,
  ref: ParamRef | undefined,
  namespace: string,
): readonly (KubeObject | null)[] {
  if (served === undefined || ref === undefined) return [null]
  const found = find(state, served, ref, placeOf(served, ref, namespace))
  if (found.length === 0 && ref.parameterNotFoundAction === 'Deny') {
    throw new ConfigError('no params found for policy binding with `Deny` parameterNotFoundAction')
  }
  const version = versionOf(served)
  return found.map((object) => convert(object, version))
}

function placeOf({ info }: ServedResource, ref: ParamRef, namespace: string): string {
  const own = ref.namespace ?? ''
  if (!info.namespaced) {
    if (own === '') return ''
    throw new ConfigError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
  }
  const place = own === '' ? namespace : own
  if (place !== '') return place
  throw new ConfigError('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
}

function find(state: ClusterState, { info }: ServedResource, ref: ParamRef, namespace: string): readonly KubeObject[] {
  const { name = '', selector } = ref
  if (name !== '') {
    const one = state.find(info.group, info.resource, namespace, name)
    return one === undefined ? [] : [one]
  }
  if (selector === undefined) throw new ConfigError('one of name or selector must be provided')
  const compiled = selectorOf(selector)
  return state
    .list(info.group, info.resource, namespace)
    .filter(({ metadata }) => matchesLabels(compiled, metadata.labels))
}
