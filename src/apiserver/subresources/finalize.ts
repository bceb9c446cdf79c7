/** namespaces/finalize: changes spec.finalizers; the namespace is gone when nothing keeps it any more. */
import { validateNamespaceFinalize } from '../../machinery/kinds/index.ts'
import type { Subresource } from '../registry/subresource.ts'

export const finalize: Subresource = {
  restrict(object, old) {
    const finalizers: unknown = object['spec']?.finalizers
    if (old['status'] === undefined) delete object['status']
    else object['status'] = old['status']
    object['spec'] = finalizers === undefined ? {} : { finalizers }
  },
  validate: validateNamespaceFinalize,
}
