/** DefaultIngressClass: an ingress that names no class gets the default one. */
import type { AdmissionPlugin } from './contract.ts'
import { newestDefault } from './default-class.ts'

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'

export const defaultIngressClass: AdmissionPlugin = {
  name: 'DefaultIngressClass',
  handles: (operation, info, subresource) =>
    operation === 'CREATE' && subresource === '' && info.group === 'networking.k8s.io' && info.resource === 'ingresses',
  mutate({ object, state }) {
    const spec = (object['spec'] ??= {}) as { ingressClassName?: string }
    if (spec.ingressClassName !== undefined || Object.hasOwn(object.metadata.annotations ?? {}, CLASS_ANNOTATION))
      return
    const classes = state.list('networking.k8s.io', 'ingressclasses', '')
    const chosen = newestDefault(classes, ['ingressclass.kubernetes.io/is-default-class'])
    if (chosen !== undefined) spec.ingressClassName = chosen
  },
}
