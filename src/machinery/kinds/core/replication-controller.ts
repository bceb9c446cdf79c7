/** ReplicationControllers. */
import { forbidden, invalid, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { counts, withinReplicas } from '../apps/workload.ts'
import { nonNegative } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { fieldTextOr } from '../fields.ts'
import { entriesOf, isSet, sortedMap } from '../json.ts'
import type { Json } from '../json.ts'
import { selects } from '../labels.ts'
import { defaultTemplate, fill } from '../pod/defaults.ts'
import { dropDisabled } from '../pod/prepare.ts'
import { nameWarning, templateWarnings } from '../pod/warnings.ts'
import { validateTemplate } from '../pod/validate.ts'

function defaults(controller: Json): void {
  const spec: Json = (controller.spec ??= {})
  if (isSet(spec.template)) defaultTemplate(spec)
  const labels: Json = spec.template?.metadata?.labels
  if (isSet(labels)) {
    if (entriesOf(spec.selector).length === 0) spec.selector = { ...labels }
    if (entriesOf(controller.metadata.labels).length === 0) controller.metadata.labels = { ...labels }
  }
  fill(spec, 'replicas', 1)
}

function validate(controller: Json, old?: Json): FieldError[] {
  const out: Errors = []
  const spec: Json = controller.spec ?? {}
  nonNegative(spec.replicas, 'spec.replicas', out)
  nonNegative(spec.minReadySeconds, 'spec.minReadySeconds', out)
  const selector = entriesOf(spec.selector)
  if (selector.length === 0) out.push(required('spec.selector'))
  const { template } = spec
  if (!isSet(template)) {
    out.push(required('spec.template'))
    return out
  }
  const labels: Json = template.metadata?.labels
  if (selector.length > 0 && !selects({ matchLabels: spec.selector }, labels)) {
    const detail = '`selector` does not match template `labels`'
    out.push(invalid('spec.template.metadata.labels', sortedMap(labels), detail))
  }
  validateTemplate(template, 'spec.template', out, old?.spec?.template)
  const restart: string = template.spec?.restartPolicy ?? ''
  if (restart !== 'Always') out.push(notSupported('spec.template.spec.restartPolicy', restart, ['Always']))
  if (isSet(template.spec?.activeDeadlineSeconds)) {
    const detail = 'activeDeadlineSeconds in ReplicationController is not Supported'
    out.push(forbidden('spec.template.spec.activeDeadlineSeconds', detail))
  }
  return out
}

export const replicationControllerRules: KindRules = {
  name: 'longname',
  warnings: (object, old) => [
    ...(old === undefined ? nameWarning(object.metadata.name ?? '') : []),
    ...templateWarnings(object, old, (object['spec'] as Json)?.template, 'spec.template'),
  ],
  defaults,
  prepareCreate: (controller) => {
    controller['status'] = { replicas: 0 }
    dropDisabled((controller['spec'] as Json).template?.spec ?? {})
  },
  prepareUpdate: (controller, old) => {
    controller['status'] = old['status']
    dropDisabled((controller['spec'] as Json).template?.spec ?? {}, (old['spec'] as Json)?.template?.spec)
  },
  validate,
  validateStatus: (controller) => {
    const out: Errors = []
    const status: Json = controller['status'] ?? {}
    const fields = ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']
    counts(status, [...fields, 'observedGeneration'], out)
    withinReplicas(status, fields.slice(1), out)
    return out
  },
  generation: (controller) => controller['spec'] as unknown,
  fields: { 'status.replicas': fieldTextOr('0', 'status', 'replicas') },
}
