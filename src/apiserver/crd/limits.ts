/**
 * Admission of CustomResourceDefinitions: what passes the kind's own validation but could not be kept here. A rule
 * that is not evaluated is refused instead of ignored.
 */
import { child, index } from '../../machinery/field.ts'
import type { FieldError } from '../../machinery/field.ts'
import { defaultErrors, unsupportedErrors } from '../../machinery/schema/index.ts'
import { errors } from '../../machinery/status.ts'
import type { AdmissionPlugin } from '../admission/contract.ts'
import { equalJson } from '../registry/json.ts'
import type { Definition } from './definition.ts'

export const customResourceLimits: AdmissionPlugin = {
  name: 'CustomResourceLimits',
  handles: (operation, info, subresource) =>
    operation !== 'DELETE' &&
    subresource === '' &&
    info.group === 'apiextensions.k8s.io' &&
    info.resource === 'customresourcedefinitions',
  validate({ object, old, name }) {
    const definition = object as Definition
    if (old !== undefined && equalJson(object['spec'], old['spec'])) return
    const found = problems(definition)
    if (found.length === 0) return
    const kind = { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' }
    throw errors.invalid(kind, definition.metadata.name ?? name, found)
  },
}

function problems({ spec }: Definition): FieldError[] {
  const found: FieldError[] = []
  // Upstream speaks of what all versions share as of one part of the spec.
  const shared = spec.versions.every((v) => equalJson(v.schema, spec.versions[0]!.schema))
  for (const [i, version] of spec.versions.entries()) {
    const schema = version.schema?.openAPIV3Schema
    if (schema === undefined || (shared && i > 0)) continue
    const path = shared ? 'spec.validation.openAPIV3Schema' : child(index('spec.versions', i), 'schema.openAPIV3Schema')
    found.push(...unsupportedErrors(schema, path), ...defaultErrors(schema, path))
  }
  return found
}
