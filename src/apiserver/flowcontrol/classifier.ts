/**
 * Which FlowSchema and priority level a request belongs to. Who is served first inside a tenant goes by it; between
 * tenants the fair share decides, whatever a tenant writes into its schemas.
 */
import { flowSchemas } from '../bootstrap/flowcontrol.ts'
import { metaOf, objectOf, type Attributes } from '../contract.ts'
import type { Range } from '../../store/contract.ts'
import { compareSchemas, flowSchemaOf, schemaMatches, type FlowSchema } from './rule.ts'

export interface Flow {
  /** '' when the object is gone; the two mandatory schemas count without theirs. */
  readonly schemaUid: string
  readonly levelUid: string
  readonly schema: string
  readonly level: string
}

const SCHEMAS = 'flowcontrol.apiserver.k8s.io/flowschemas/'
const LEVELS = 'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations/'
/** Levels whose requests go before those of the others. */
const FIRST: ReadonlySet<string> = new Set(['exempt', 'leader-election', 'node-high', 'system'])

let shared: readonly FlowSchema[] | undefined

/** Those of the bootstrap, once for the process. */
function bootstrapSchemas(): readonly FlowSchema[] {
  return (shared ??= flowSchemas('').map(flowSchemaOf).toSorted(compareSchemas))
}

const mandatory = (name: string): FlowSchema => bootstrapSchemas().find((schema) => schema.name === name)!

export class FlowClassifier {
  readonly #range: Range
  #schemas: readonly FlowSchema[] | undefined
  /** By name of the schema. */
  readonly #flows = new Map<string, Flow>()
  readonly #stops: (() => void)[] = []

  constructor(range: Range) {
    this.#range = range
  }

  classify(attributes: Attributes): Flow {
    const schemas = (this.#schemas ??= this.#read())
    const schema = schemas.find((each) => schemaMatches(each, attributes)) ?? mandatory('catch-all')
    let flow = this.#flows.get(schema.name)
    if (flow === undefined) this.#flows.set(schema.name, (flow = this.#flowOf(schema)))
    return flow
  }

  close(): void {
    for (const stop of this.#stops) stop()
  }

  #flowOf({ name, level }: FlowSchema): Flow {
    const uid = (key: string): string => {
      const entry = this.#range.get(key)
      return entry === undefined ? '' : (metaOf(entry).uid ?? '')
    }
    return { schemaUid: uid(`${SCHEMAS}/${name}`), levelUid: uid(`${LEVELS}/${level}`), schema: name, level }
  }

  /** The bootstrap's, as long as the cluster has changed none. */
  #read(): readonly FlowSchema[] {
    if (this.#stops.length === 0) this.#follow()
    const schemas = this.#range.list(SCHEMAS).entries
    const bootstrap = bootstrapSchemas()
    if (schemas.length === bootstrap.length && schemas.every((entry) => entry.revision <= 1)) return bootstrap
    const levels = new Set(this.#range.list(LEVELS).entries.map((entry) => metaOf(entry).name))
    const found = schemas.map((entry) => flowSchemaOf(objectOf(entry))).filter(({ level }) => levels.has(level))
    for (const name of ['exempt', 'catch-all'])
      if (!found.some((schema) => schema.name === name)) found.push(mandatory(name))
    return found.toSorted(compareSchemas)
  }

  #follow(): void {
    const forget = (): void => {
      this.#schemas = undefined
      this.#flows.clear()
    }
    for (const prefix of [SCHEMAS, LEVELS]) this.#stops.push(this.#range.watch(prefix, this.#range.revision, forget))
  }
}

/** Whether a flow's requests go before others of the same tenant, unless they ask for much. */
export function isUrgent({ level }: Flow): boolean {
  return FIRST.has(level)
}
