/** Namespace and object selectors of webhooks and policies. */
import type { KubeObject } from '../../../machinery/object.ts'
import type { LabelSelector, LabelSelectorObject } from '../../../machinery/selector/labels.ts'
import { isEverything, labelSelectorOf, matchesLabels } from '../../../machinery/selector/labels.ts'
import { errors } from '../../../machinery/status.ts'
import type { View } from './view.ts'
import { isNamespaces } from './view.ts'

/** Stored objects are shared and never change, so that their selectors are read once. */
const parsed = new WeakMap<LabelSelectorObject, LabelSelector>()

/** @throws SelectorError for one that validation would not have let in */
export function selectorOf(object: LabelSelectorObject): LabelSelector {
  let selector = parsed.get(object)
  if (selector === undefined) parsed.set(object, (selector = labelSelectorOf(object)))
  return selector
}

/** Cluster-wide objects other than namespaces always match. @throws StatusError 404 when the namespace is missing */
export function matchesNamespace(selector: LabelSelectorObject, view: View): boolean {
  if (view.namespace === '' && !isNamespaces(view.requested)) return true
  const compiled = selectorOf(selector)
  return isEverything(compiled) || matchesLabels(compiled, namespaceLabels(view))
}

function namespaceLabels({ request, requested, namespace, subresource, operation }: View): KubeObject['labels'] {
  // What is being written is newer than what is stored.
  if (isNamespaces(requested) && subresource === '' && operation !== 'DELETE') return request.object.metadata.labels
  const found = request.state.find('', 'namespaces', '', namespace)
  if (found === undefined) throw errors.notFound({ group: '', resource: 'namespaces' }, namespace)
  return found.metadata.labels
}

/** One of the new and the old object is enough. */
export function matchesObject(selector: LabelSelectorObject, { request, operation }: View): boolean {
  const compiled = selectorOf(selector)
  if (isEverything(compiled)) return true
  // The options of a connection have no metadata: no labels can be asked for, nor be asked to be missing.
  const matches = (object: Partial<KubeObject> | undefined): boolean =>
    object?.metadata !== undefined && matchesLabels(compiled, object.metadata.labels)
  const { object, old } = request
  return (operation !== 'DELETE' && matches(object)) || (operation !== 'CREATE' && matches(old))
}
