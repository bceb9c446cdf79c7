/** `pods/log`: the query, and who answers it. */
import type { Connector } from '../apiserver/http/contract.ts'
import { errors } from '../machinery/status.ts'
import type { KubeObject } from '../machinery/object.ts'

/** v1.PodLogOptions, as far as a log without a stream has them. */
export interface LogQuery {
  readonly container: string | undefined
  readonly previous: boolean
  readonly timestamps: boolean
  readonly tailLines: number | undefined
  readonly limitBytes: number | undefined
  readonly sinceSeconds: number | undefined
  readonly sinceTime: string | undefined
}

/** The log of a pod as text. @throws StatusError */
export type LogSource = (pod: KubeObject, query: LogQuery) => Promise<string> | string

/** Serves `pods/log` from a source. `pod` reads the pod by namespace and name. */
export function logConnector(
  pod: (namespace: string, name: string) => KubeObject | undefined,
  source: LogSource,
): Connector {
  return async ({ exchange, target, query }, { headers }) => {
    const found = pod(target.namespace, target.name)
    if (found === undefined) throw errors.notFound({ group: '', resource: 'pods' }, target.name)
    const asked: LogQuery = {
      container: chooseContainer(found, query.get('container')),
      previous: isTrue(query.get('previous')),
      timestamps: isTrue(query.get('timestamps')),
      tailLines: wholeNumber('tailLines', query.get('tailLines'), 0),
      limitBytes: wholeNumber('limitBytes', query.get('limitBytes'), 1),
      sinceSeconds: wholeNumber('sinceSeconds', query.get('sinceSeconds'), 1),
      sinceTime: query.get('sinceTime'),
    }
    const text = await source(found, asked)
    exchange.respond(200, { ...headers, 'content-type': 'text/plain' }, text)
  }
}

const isTrue = (text: string | undefined): boolean => text === 'true' || text === '1'

function wholeNumber(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value))
    throw errors.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  if (value < least) {
    const detail = least === 0 ? 'must be greater than or equal to 0' : 'must be greater than 0'
    throw errors.invalid({ group: '', kind: 'PodLogOptions' }, '', [
      { type: 'FieldValueInvalid', field: name, message: `Invalid value: ${value}: ${detail}` },
    ])
  }
  return value
}

/** The only container when none is named. @throws StatusError 400 with upstream's texts */
function chooseContainer(pod: KubeObject, asked: string | undefined): string {
  const names = (list: { name: string }[] | undefined) => (list ?? []).map((c) => c.name)
  const own = names(pod['spec'].containers)
  const init = names(pod['spec'].initContainers)
  const ephemeral = names(pod['spec'].ephemeralContainers)
  if (asked !== undefined && asked !== '') {
    if ([...own, ...init, ...ephemeral].includes(asked)) return asked
    throw errors.badRequest(`container ${asked} is not valid for pod ${pod.metadata.name!}`)
  }
  const marked = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container']
  if (marked !== undefined && own.includes(marked)) return marked
  if (own.length === 1) return own[0]!
  const rest = init.length === 0 ? '' : ` or one of the init containers: [${init.join(' ')}]`
  throw errors.badRequest(
    `a container name must be specified for pod ${pod.metadata.name!}, choose one of: [${own.join(' ')}]${rest}`,
  )
}
