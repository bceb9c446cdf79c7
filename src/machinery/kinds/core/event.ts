/** Events, of the core group and of events.k8s.io: the same objects, checked by how they were written. */
import { invalid, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isQualifiedName } from '../../names.ts'
import { each, immutable } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { fieldText } from '../fields.ts'
import { isSet, same } from '../json.ts'
import type { Json } from '../json.ts'

/** The two groups name the same fields differently. */
interface Names {
  readonly subject: 'involvedObject' | 'regarding'
  readonly reporter: 'reportingComponent' | 'reportingController'
  readonly message: 'message' | 'note'
  readonly firstTimestamp: string
  readonly lastTimestamp: string
  readonly count: string
  readonly source: string
  /** How the reporter is called in messages. */
  readonly shownReporter: string
}

const CORE: Names = {
  subject: 'involvedObject',
  reporter: 'reportingComponent',
  message: 'message',
  firstTimestamp: 'firstTimestamp',
  lastTimestamp: 'lastTimestamp',
  count: 'count',
  source: 'source',
  shownReporter: 'reportingComponent',
}
/** An event of core that was written as one of events.k8s.io. */
const THROUGH: Names = { ...CORE, shownReporter: 'reportingController' }
const EVENTS: Names = {
  subject: 'regarding',
  reporter: 'reportingController',
  message: 'note',
  firstTimestamp: 'deprecatedFirstTimestamp',
  lastTimestamp: 'deprecatedLastTimestamp',
  count: 'deprecatedCount',
  source: 'deprecatedSource',
  shownReporter: 'reportingController',
}

function isLong(text: Json, limit: number): boolean {
  return Buffer.byteLength(String(text ?? '')) > limit
}

function basic(event: Json, names: Names, out: Errors): void {
  const namespace: string = event.metadata.namespace ?? ''
  const subject: string = event[names.subject]?.namespace ?? ''
  const mismatch = (): unknown =>
    out.push(invalid('involvedObject.namespace', subject, 'does not match event.namespace'))
  if (!isSet(event.eventTime)) {
    if (subject === '' ? namespace !== '' && namespace !== 'default' : namespace !== subject) mismatch()
    return
  }
  if (subject === '' && namespace !== 'default' && namespace !== 'kube-system') mismatch()
  const reporter: string = event[names.reporter] ?? ''
  if (reporter === '') out.push(required(names.shownReporter))
  each(isQualifiedName(reporter), names.shownReporter, reporter, out)
  for (const field of ['reportingInstance', 'action', 'reason']) {
    if (!event[field]) out.push(required(field))
    if (isLong(event[field], 128)) out.push(invalid(field, '', 'can have at most 128 characters'))
  }
  if (isLong(event[names.message], 1024)) out.push(invalid('message', '', 'can have at most 1024 characters'))
}

function series(event: Json, out: Errors): void {
  if (!isSet(event.series)) return
  if ((event.series.count ?? 0) < 2) out.push(invalid('series.count', '', 'should be at least 2'))
  if (!isSet(event.series.lastObservedTime)) out.push(required('series.lastObservedTime'))
}

function validateNew(event: Json, names: Names, out: Errors): void {
  series(event, out)
  if (!isSet(event.eventTime)) out.push(required('eventTime'))
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    out.push(invalid('type', '', `has invalid value: ${String(event.type ?? '')}`))
  }
  if (isSet(event[names.firstTimestamp])) out.push(invalid('firstTimestamp', '', 'needs to be unset'))
  if (isSet(event[names.lastTimestamp])) out.push(invalid('lastTimestamp', '', 'needs to be unset'))
  if (event[names.count]) out.push(invalid('count', '', 'needs to be unset'))
  const source: Json = event[names.source]
  if (source?.component || source?.host) out.push(invalid('source', '', 'needs to be unset'))
}

/** What may not change of an event of events.k8s.io: by the name in messages, and the field. */
function fixed(names: Names): readonly (readonly [string, string])[] {
  return [
    ['involvedObject', names.subject],
    ['reason', 'reason'],
    ['message', names.message],
    ['source', names.source],
    ['firstTimestamp', names.firstTimestamp],
    ['lastTimestamp', names.lastTimestamp],
    ['count', names.count],
    ['reason', 'reason'],
    ['type', 'type'],
    ['eventTime', 'eventTime'],
    ['action', 'action'],
    ['related', 'related'],
    ['reportingController', names.reporter],
    ['reportingInstance', 'reportingInstance'],
  ]
}

/** As Go writes an object reference. */
function shownReference(reference: Json): Json {
  if (!isSet(reference)) return null
  const {
    kind = '',
    namespace = '',
    name = '',
    uid = '',
    apiVersion = '',
    resourceVersion = '',
    fieldPath = '',
  } = reference
  return {
    Kind: kind,
    Namespace: namespace,
    Name: name,
    UID: uid,
    APIVersion: apiVersion,
    ResourceVersion: resourceVersion,
    FieldPath: fieldPath,
  }
}

function shownValue(field: string, value: Json): Json {
  switch (field) {
    case 'involvedObject':
      return shownReference(value ?? {})
    case 'related':
      return shownReference(value)
    case 'source':
      return { Component: value?.component ?? '', Host: value?.host ?? '' }
    case 'count':
      return value ?? 0
    case 'firstTimestamp':
    case 'lastTimestamp':
    case 'eventTime':
      return value ?? null
    default:
      return value ?? ''
  }
}

/** As they are written through events.k8s.io. */
function strict(names: Names): KindRules {
  const fields = fixed(names)
  return {
    validate: (event, old): FieldError[] => {
      const out: Errors = []
      basic(event, names, out)
      if (old === undefined) validateNew(event, names, out)
      return out
    },
    validateUpdate: (event, old) => {
      const out: Errors = []
      if (!same(event['series'], old['series'])) series(event, out)
      for (const [shown, field] of fields) {
        immutable(event[field], old[field], shown, out, shownValue(shown, event[field]))
      }
      return out
    },
    generation: false,
    createOnUpdate: true,
    fields: selectable(names)!,
  }
}

function selectable(names: Names): KindRules['fields'] {
  const prefix = names.subject
  const subject = (field: string): ((event: Json) => string) => fieldText(names.subject, field)
  const fields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']
  const source = fieldText(names.source, 'component')
  const reporter = fieldText(names.reporter)
  return {
    ...Object.fromEntries(fields.map((field) => [`${prefix}.${field}`, subject(field)])),
    reason: fieldText('reason'),
    [names.reporter]: reporter,
    source: (event) => source(event) || reporter(event),
    type: fieldText('type'),
  }
}

export const coreEventRules: KindRules = {
  name: 'path',
  legacyFinalizers: false,
  validate: (event): FieldError[] => {
    const out: Errors = []
    basic(event, CORE, out)
    return out
  },
  generation: false,
  createOnUpdate: true,
  fields: selectable(CORE)!,
  through: { 'events.k8s.io': strict(THROUGH) },
}

export const eventRules: KindRules = strict(EVENTS)
