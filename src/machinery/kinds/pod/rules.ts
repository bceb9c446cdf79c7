/** Pods and pod templates. */
import type { KindRules } from '../contract.ts'
import { fieldText } from '../fields.ts'
import { listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { appArmorWarnings } from './annotations.ts'
import { defaultPod, defaultTemplate } from './defaults.ts'
import { dropDisabled, prepareCreate, prepareUpdate } from './prepare.ts'
import { prepareStatus, validateStatus } from './status.ts'
import { validateUpdate } from './update.ts'
import { validatePod, validateTemplate } from './validate.ts'
import { newPodWarnings, podNameWarning, templateWarnings } from './warnings.ts'

export const podRules: KindRules = {
  defaults: defaultPod,
  prepareCreate,
  prepareUpdate,
  prepareStatus,
  validate: validatePod,
  validateUpdate,
  validateStatus,
  generation: (pod) => pod['spec'] as unknown,
  earlyWarnings: appArmorWarnings,
  warnings: (pod, old) =>
    old === undefined ? [...podNameWarning(pod.metadata.name ?? ''), ...newPodWarnings(pod)] : [],
  fields: {
    'spec.nodeName': fieldText('spec', 'nodeName'),
    'spec.restartPolicy': fieldText('spec', 'restartPolicy'),
    'spec.schedulerName': fieldText('spec', 'schedulerName'),
    'spec.serviceAccountName': fieldText('spec', 'serviceAccountName'),
    'spec.hostNetwork': (pod) => String((pod['spec'] as Json)?.hostNetwork === true),
    'status.phase': fieldText('status', 'phase'),
    'status.podIP': (pod) => {
      const status: Json = pod['status']
      return String(listOf(status?.podIPs)[0]?.ip ?? status?.podIP ?? '')
    },
    'status.nominatedNodeName': fieldText('status', 'nominatedNodeName'),
  },
}

export const podTemplateRules: KindRules = {
  defaults: defaultTemplate,
  prepareCreate: (object) => dropDisabled((object['template'] as Json).spec),
  prepareUpdate: (object, old) => dropDisabled((object['template'] as Json).spec, (old['template'] as Json)?.spec),
  warnings: (object, old) => templateWarnings(object, old, object['template'], 'template'),
  validate: (object, old) => {
    const out: ReturnType<typeof validatePod> = []
    validateTemplate(object['template'], 'template', out, old?.['template'])
    return out
  },
}
