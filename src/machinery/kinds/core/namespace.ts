/** Namespaces. */
import { invalid } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isQualifiedName } from '../../names.ts'
import { each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { fieldText } from '../fields.ts'
import { listOf, setEntry } from '../json.ts'
import type { Json } from '../json.ts'
import { kubeFinalizer } from '../metadata.ts'

/** Carries the namespace's own name, so that selectors can name namespaces. */
const NAME_LABEL = 'kubernetes.io/metadata.name'

function nameLabel(namespace: Json): void {
  if (!namespace.metadata?.name) return
  namespace.metadata.labels ??= {}
  setEntry(namespace.metadata.labels, NAME_LABEL, namespace.metadata.name)
}

function finalizers(list: Json, path: (i: number) => string, out: Errors): void {
  listOf(list).forEach((finalizer, i) => {
    each(isQualifiedName(finalizer), path(i), finalizer, out)
    kubeFinalizer(finalizer, path(i), out)
  })
}

export const namespaceRules: KindRules = {
  name: 'dns1123label',
  defaults: (namespace) => {
    nameLabel(namespace)
    const status: Json = (namespace['status'] ??= {})
    if (!status.phase) status.phase = 'Active'
  },
  prepareCreate: (namespace) => {
    namespace['status'] = { phase: 'Active' }
    const spec: Json = (namespace['spec'] ??= {})
    if (!listOf(spec.finalizers).includes('kubernetes')) spec.finalizers = [...listOf(spec.finalizers), 'kubernetes']
    nameLabel(namespace)
  },
  prepareUpdate: (namespace, old) => {
    namespace['spec'] = { ...(namespace['spec'] as object), finalizers: (old['spec'] as Json)?.finalizers }
    namespace['status'] = old['status']
    nameLabel(namespace)
  },
  validate: (namespace) => {
    const out: Errors = []
    finalizers((namespace['spec'] as Json)?.finalizers, () => 'spec.finalizers', out)
    return out
  },
  validateStatus: (namespace) => {
    const phase: string = (namespace['status'] as Json)?.phase ?? ''
    const [wanted, when] =
      namespace.metadata.deletionTimestamp === undefined ? ['Active', 'is empty'] : ['Terminating', 'is not empty']
    if (phase === wanted) return []
    return [invalid('status.Phase', phase, `may only be '${wanted}' if \`deletionTimestamp\` ${when}`)]
  },
  generation: false,
  fields: { 'status.phase': fieldText('status', 'phase'), name: (namespace) => namespace.metadata.name ?? '' },
}

/** A write to `/finalize`: the finalizers of the spec, nothing else is asked. */
export function validateNamespaceFinalize(namespace: Json): FieldError[] {
  const out: Errors = []
  finalizers(namespace.spec?.finalizers, (i) => `spec.finalizers[${i}]`, out)
  return out
}
