/** DeviceClass. */
import { child, index, invalid } from '../../field.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, same } from '../json.ts'
import type { Json } from '../json.ts'
import { isQualifiedName } from '../../names.ts'
import { configuration } from './config.ts'
import { sized } from './lists.ts'
import { selectors } from './selector.ts'

const MIX = "a name must be a domain-prefixed path, such as 'example.com/my-prop'"

function extendedResource(name: string, path: string, out: Errors): void {
  if (!name.includes('/')) out.push(invalid(path, name, MIX))
  else if (name.includes('kubernetes.io/')) out.push(invalid(path, name, 'must not have "kubernetes.io/" domain'))
  if (name.startsWith('requests.')) out.push(invalid(path, name, 'must not have "requests." prefix'))
  for (const why of isQualifiedName(`requests.${name}`)) out.push(invalid(path, name, why))
}

export const deviceClassRules: KindRules = {
  name: 'longname',
  *validateInSteps(object, old) {
    const out: Errors = []
    const spec: Json = object['spec'] ?? {}
    const before: Json = old?.['spec']
    const stored = (field: string): boolean => old !== undefined && same(before?.[field], spec[field])
    yield* selectors(spec.selectors, stored('selectors'), 'spec.selectors', out)
    const path = child('spec', 'config')
    sized(spec.config, 32, path, out).forEach((one, i) => configuration(one, stored('config'), index(path, i), out))
    if (isSet(spec.extendedResourceName)) {
      extendedResource(spec.extendedResourceName, 'spec.extendedResourceName', out)
    }
    return out
  },
  generation: (object) => object['spec'],
}
