/** Configuration for drivers, which only they understand. */
import { child, invalid, required, tooLong } from '../../field.ts'
import type { Errors } from '../checks.ts'
import { isSet } from '../json.ts'
import type { Json } from '../json.ts'
import { declaredDriver } from './names.ts'
import type { RequestNames } from './references.ts'
import { references } from './references.ts'

const MAX_PARAMETERS = 10 * 1024
const OMITTED = '<value omitted>'

/** `opaque`, which is the only kind of configuration. `stored`: it was let in before. */
export function configuration(config: Json, stored: boolean, path: string, out: Errors): void {
  const at = child(path, 'opaque')
  if (!isSet(config?.opaque)) {
    out.push(required(at))
    return
  }
  declaredDriver(config.opaque.driver, child(at, 'driver'), out)
  rawObject(config.opaque.parameters, stored ? Infinity : MAX_PARAMETERS, child(at, 'parameters'), out)
}

/** A JSON object of any content. */
export function rawObject(value: Json, most: number, path: string, out: Errors): void {
  if (!isSet(value)) out.push(required(path))
  else if (most !== Infinity && Buffer.byteLength(JSON.stringify(value)) > most) out.push(tooLong(path, most))
  else if (typeof value !== 'object' || Array.isArray(value)) {
    out.push(invalid(path, OMITTED, 'must be a valid JSON object'))
  }
}

/** `config` of a claim or of what was allocated for it: for some of its requests. */
export function claimConfiguration(config: Json, names: RequestNames, path: string, out: Errors): void {
  references(config?.requests, names, child(path, 'requests'), out)
  configuration(config, false, path, out)
}
