/** StorageVersionMigration: objects of a resource are to be stored anew. */
import { invalid, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isDns1035Label, isDns1123Subdomain } from '../../names.ts'
import { immutable } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { conditions } from '../core/conditions.ts'
import { listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { keepMetadata } from '../metadata.ts'

const RESOURCE = 'spec.resource.resource'
const GROUP = 'spec.resource.group'
const VERSION = 'status.resourceVersion'
const CONDITIONS = 'status.conditions'

const isTrue = (status: Json, type: string): boolean =>
  listOf(status.conditions).find((condition) => condition.type === type)?.status === 'True'

export const storageVersionMigrationRules: KindRules = {
  prepareCreate: (migration) => {
    migration['status'] = {}
  },
  prepareUpdate: (migration, old) => {
    migration['status'] = old['status']
  },
  prepareStatus: (migration, old) => {
    migration['spec'] = old['spec']
    keepMetadata(migration, old)
  },
  validate: (migration): FieldError[] => {
    const out: Errors = []
    const { group = '', resource = '' }: Json = (migration['spec'] as Json)?.resource ?? {}
    if (resource === '') out.push(required(RESOURCE, 'resource is required to be set'))
    else {
      const wrong = isDns1035Label(resource)
      if (wrong.length > 0) out.push(invalid(RESOURCE, resource, wrong.join(',')))
    }
    const wrong = group === '' ? [] : isDns1123Subdomain(group)
    if (wrong.length > 0) out.push(invalid(GROUP, group, wrong.join(',')))
    return out
  },
  validateUpdate: (now, old) => {
    const out: Errors = []
    const { group = '', resource = '' }: Json = (now['spec'] as Json)?.resource ?? {}
    immutable(now['spec'], old['spec'], 'spec', out, { Resource: { group, resource } })
    return out
  },
  validateStatus: (now, old) => {
    const out: Errors = []
    const status: Json = now['status'] ?? {}
    const before: Json = old['status'] ?? {}
    const version: string = status.resourceVersion ?? ''
    if (version !== '' && !/^[1-9][0-9]*$/.test(version)) {
      out.push(invalid(VERSION, version, `resource version is not well formed: ${version}`))
    }
    conditions(status.conditions, CONDITIONS, out)
    if (before.resourceVersion) immutable(version, before.resourceVersion, VERSION, out)
    if (isTrue(status, 'Succeeded') && isTrue(status, 'Failed')) {
      const detail = 'Both success and failed conditions cannot be true at the same time'
      out.push(invalid(CONDITIONS, status.conditions, detail))
    }
    for (const [type, name] of [
      ['Succeeded', 'Success'],
      ['Failed', 'Failed'],
    ] as const) {
      if (!isTrue(before, type) || isTrue(status, type)) continue
      out.push(invalid(CONDITIONS, status.conditions, `${name} condition cannot be set to false once it is true`))
    }
    return out
  },
  generation: false,
  unconditionalUpdate: false,
}
