/**
 * A write as the outside sees it: what rules and selectors are asked about, and what webhooks and expressions get. In
 * the version of the request's URL first, and in any other version that the cluster serves the object in.
 */
import type { Catalog, CustomResource, ServedResource } from '../../contract.ts'
import type { KubeObject } from '../../../machinery/object.ts'
import { apiVersionOf } from '../../../machinery/object.ts'
import { convert } from '../../registry/convert.ts'
import { outside } from '../../registry/core.ts'
import { convertObject } from '../../registry/custom-views.ts'
import { scale } from '../../subresources/scale.ts'
import type { AdmissionRequest, Operation } from '../contract.ts'

export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** The objects in one version. Shared: not to be changed. */
export interface Versioned {
  readonly kind: GroupVersionKind
  /** Null for a DELETE. */
  readonly object: KubeObject | null
  /** Null for a CREATE. */
  readonly old: KubeObject | null
}

export class View {
  readonly request: AdmissionRequest
  readonly operation: Operation
  /** The resource in the version of the URL. */
  readonly requested: ServedResource
  readonly subresource: string
  /** The object's; for a Namespace its own name, as upstream's attributes have it. '' for other cluster-wide objects. */
  readonly namespace: string
  /** '' for a create whose name is still to be generated. */
  readonly name: string
  #versions: Map<ServedResource, Versioned> | undefined

  constructor(request: AdmissionRequest) {
    const { operation, requested, subresource, namespace, name } = request
    this.request = request
    this.operation = operation
    this.requested = requested
    this.subresource = subresource
    this.namespace = isNamespaces(requested) ? name : namespace
    this.name = name
  }

  /** The objects as a version shows them. What has been read stays, until {@link changed}. */
  in(served: ServedResource): Versioned {
    const versions = (this.#versions ??= new Map())
    let view = versions.get(served)
    if (view === undefined) {
      const { object, old } = this.request
      const show = (from: KubeObject): KubeObject => shown(from, served, this)
      view = {
        kind: kindOf(served, this.subresource),
        object: this.operation === 'DELETE' ? null : show(object),
        old: old === undefined || this.operation === 'CREATE' ? null : show(old),
      }
      versions.set(served, view)
    }
    return view
  }

  /**
   * Has the objects made in a version into which only a webhook converts them: to be waited for before {@link in}.
   * Undefined: there is nothing to wait for.
   *
   * @throws StatusError 500 (rejects) when the webhook fails
   */
  ready(served: ServedResource): Promise<void> | undefined {
    const custom = this.requested.custom
    if (custom?.conversion === undefined || served === this.requested || this.subresource === 'scale') return undefined
    if (this.#versions?.has(served) === true) return undefined
    return this.#convert(served, custom)
  }

  async #convert(served: ServedResource, custom: CustomResource): Promise<void> {
    const { object, old, call } = this.request
    const version = apiVersionOf(served.info)
    const from = [
      this.operation === 'DELETE' ? undefined : object,
      this.operation === 'CREATE' ? undefined : old,
    ] as const
    const [made, before] = await outside(call, Promise.all(from.map((one) => inVersion(one, custom, version))))
    const kind = kindOf(served, this.subresource)
    ;(this.#versions ??= new Map()).set(served, { kind, object: made ?? null, old: before ?? null })
  }

  /** The request's object has been changed: views are made anew. */
  changed(): void {
    this.#versions = undefined
  }
}

/** A custom resource in a version, by webhook unless it is in that one. */
async function inVersion(
  object: KubeObject | undefined,
  custom: CustomResource,
  apiVersion: string,
): Promise<KubeObject | undefined> {
  if (object === undefined || object.apiVersion === apiVersion) return object
  return convertObject(object, custom, apiVersion)
}

export function isNamespaces({ info }: ServedResource): boolean {
  return info.group === '' && info.resource === 'namespaces'
}

function shown(object: KubeObject, served: ServedResource, { name, namespace, subresource }: View): KubeObject {
  // A Binding, an Eviction, a TokenRequest is what it is.
  if (subresource !== 'scale' && kindOf(served, subresource).kind !== served.info.kind) return object
  const converted = convert(object, apiVersionOf(served.info))
  if (subresource !== 'scale') return converted
  return scale.view!(converted, { resource: served, namespace, name, subresource })
}

/** The kind of what a request to a resource or subresource carries. */
export function kindOf(served: ServedResource, subresource: string): GroupVersionKind {
  const part = subresource === '' ? undefined : served.subresources.get(subresource)
  const { group, version, kind } = part ?? served.info
  return { group, version, kind }
}

interface Known {
  readonly generation: number
  readonly byPrefix: ReadonlyMap<string, readonly ServedResource[]>
}
const known = new WeakMap<Catalog, Known>()

/** The resources of all versions and groups that show the same objects and have the subresource, this one among them. */
export function equivalents(catalog: Catalog, served: ServedResource, subresource: string): readonly ServedResource[] {
  let tables = known.get(catalog)
  if (tables?.generation !== catalog.generation) {
    const byPrefix = Map.groupBy(catalog.all(), ({ prefix }) => prefix)
    known.set(catalog, (tables = { generation: catalog.generation, byPrefix }))
  }
  const all = tables!.byPrefix.get(served.prefix) ?? []
  return subresource === '' ? all : all.filter(({ subresources }) => subresources.has(subresource))
}
