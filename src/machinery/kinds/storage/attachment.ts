/** VolumeAttachment: a volume is to be at a node. */
import { child, forbidden, invalid, required, tooLong, tooLongCharacters } from '../../field.ts'
import { isDns1123Subdomain, isDns1123SubdomainOfAnyCase, isInRange } from '../../names.ts'
import { dnsSubdomain, each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { entriesOf, isSet, same } from '../json.ts'
import type { Json } from '../json.ts'
import { keepMetadata } from '../metadata.ts'
import { defaultPlugins, fill } from '../pod/defaults.ts'
import { validateVolumeSpec } from './volume-spec.ts'

const ONE_OF = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
const MAX_ATTACHER = 63
const MAX_METADATA = 256 * 1024
const MAX_MESSAGE = 1024
const SOURCE = 'spec.source'

function source({ inlineVolumeSpec, persistentVolumeName }: Json, out: Errors): void {
  const [inline, named] = [isSet(inlineVolumeSpec), isSet(persistentVolumeName)]
  if (!inline && !named) out.push(required(SOURCE, ONE_OF))
  else if (inline && named) out.push(forbidden(SOURCE, ONE_OF))
  else if (inline) validateVolumeSpec(inlineVolumeSpec, '', true, child(SOURCE, 'inlineVolumeSpec'), out)
  else if (persistentVolumeName === '') {
    out.push(required(child(SOURCE, 'persistentVolumeName'), 'must specify non empty persistentVolumeName'))
  }
}

function volumeError(error: Json, path: string, out: Errors): void {
  if (!isSet(error)) return
  if (Buffer.byteLength(error.message ?? '') > MAX_MESSAGE) out.push(tooLong(child(path, 'message'), MAX_MESSAGE))
  const code: Json = error.errorCode
  if (isSet(code) && code < 0) each(isInRange(code, 0, 2147483647), child(path, 'errorCode'), code, out)
}

function validate(object: Json, old?: Json): Errors {
  const out: Errors = []
  const { attacher = '', nodeName, source: from }: Json = object.spec ?? {}
  source(from ?? {}, out)
  dnsSubdomain(nodeName, 'spec.nodeName', out)
  const status: Json = object.status ?? {}
  let size = 0
  for (const [name, value] of entriesOf(status.attachmentMetadata)) {
    size += Buffer.byteLength(name) + Buffer.byteLength(String(value))
  }
  if (size > MAX_METADATA) out.push(tooLong('status.attachmentMetadata', MAX_METADATA))
  volumeError(status.attachError, 'status.attachError', out)
  volumeError(status.detachError, 'status.detachError', out)
  const name: Json = from?.persistentVolumeName
  if (isSet(name)) each(isDns1123Subdomain(name), child(SOURCE, 'persistentVolumeName'), name, out)
  if (old !== undefined && !same(object.spec, old.spec)) out.push(invalid('spec', null, 'field is immutable'))
  if (old !== undefined && attacher === old.spec?.attacher) return out
  if (attacher === '') out.push(required('spec.attacher'))
  else {
    each(isDns1123SubdomainOfAnyCase(attacher), 'spec.attacher', attacher, out)
    if (Array.from(attacher as string).length > MAX_ATTACHER) {
      out.push(tooLongCharacters('spec.attacher', MAX_ATTACHER))
    }
  }
  return out
}

export const volumeAttachmentRules: KindRules = {
  defaults: (object) => {
    fill((object['status'] ??= {}) as Json, 'attached', false)
    const inline: Json = (object['spec'] as Json)?.source?.inlineVolumeSpec
    if (isSet(inline)) defaultPlugins(inline)
  },
  prepareCreate: (object) => {
    object['status'] = { attached: false }
  },
  prepareUpdate: (object, old) => {
    object['status'] = old['status']
  },
  prepareStatus: (object, old) => {
    object['spec'] = old['spec']
    keepMetadata(object, old)
  },
  validate,
  validateStatus: validate,
  unconditionalUpdate: false,
  generation: false,
}
