/**
 * CEL as Kubernetes speaks it: expressions are parsed and type-checked once, then evaluated many times against JSON
 * under a cost budget. Pure: no clock, no I/O; what a program may ask of its surroundings (authorization) is a value.
 *
 * Guarantees:
 * - An evaluation never throws and never runs longer than its budget allows: every step, comprehension and library call
 *   is charged before it is done. Regular expressions run in linear time.
 * - Compiled programs hold no state of an evaluation and may be shared by all clusters of a process.
 * - Values that go in are never changed; values that come out are JSON once passed through `toJson`.
 */

/** A declared type. `object` looks its fields up lazily, so that recursive and large types cost nothing. */
export type CelType =
  | {
      readonly kind:
        | 'dyn'
        | 'bool'
        | 'int'
        | 'uint'
        | 'double'
        | 'string'
        | 'bytes'
        | 'null'
        | 'timestamp'
        | 'duration'
        | 'type'
      /** Of strings and bytes, in characters; of moments, durations and int-or-string, how long their texts may be. */
      readonly maxLength?: number
    }
  | {
      readonly kind: 'list'
      readonly item: CelType
      readonly listType?: 'atomic' | 'set' | 'map'
      readonly keys?: readonly string[]
      readonly maxItems?: number
    }
  | {
      readonly kind: 'map'
      readonly key: CelType
      readonly value: CelType
      readonly maxItems?: number
      /** Whether estimates of cost know the type of a value that is read as a field: `map.name`. @default false */
      readonly members?: boolean
    }
  | { readonly kind: 'optional'; readonly value: CelType }
  /** `name` as in messages; `field` answers undefined for a field that the type does not have (names are CEL-escaped). */
  | { readonly kind: 'object'; readonly name: string; field(name: string): CelType | undefined }
  /** A type of a library: `kubernetes.authorization.Authorizer`, `kubernetes.Quantity`, `net.IP` … */
  | { readonly kind: 'opaque'; readonly name: string }

/** Which of Kubernetes' environments: they differ in the libraries that they offer. */
export type CelProfile = 'schema' | 'admission' | 'mutation' | 'authentication' | 'devices'

export interface CompileOptions {
  readonly profile: CelProfile
  readonly variables: ReadonlyMap<string, CelType>
}

/**
 * `issues` is upstream's text of all problems: `ERROR: <input>:1:5: undeclared reference to 'x' …`. With
 * `stage: 'program'` it is what upstream tells after `program instantiation failed: ` (a constant that cannot be
 * converted, a pattern that is none).
 */
export type Compiled =
  | { readonly ok: true; readonly program: CelProgram }
  | { readonly ok: false; readonly issues: string; readonly stage?: 'program' }

export interface CelProgram {
  /** Of the result. */
  readonly type: CelType
  /** Variables that the expression mentions: `oldSelf`, `authorizer` … */
  readonly uses: ReadonlySet<string>
  /** Upper bound of the cost, from the declared types and their limits; Infinity when unbounded. */
  readonly worstCost: number
  /**
   * `values` by variable: JSON typed by the declaration, `Lazy` or a value of a library. A variable that is declared
   * and not given is an error when it is read.
   */
  evaluate(values: Readonly<Record<string, unknown>>, budget: CelBudget): CelResult
}

/** What evaluations may still cost. Shared by the evaluations of one object; they take from `left`. */
export interface CelBudget {
  /** Upstream's cost units. */
  left: number
  /** Limit of one evaluation. @default 1 000 000 */
  readonly perCall?: number
}

export type CelResult =
  | { readonly ok: true; readonly value: unknown; readonly cost: number }
  /** `budget`: the shared budget is used up. `cost`: this evaluation's own limit. `runtime`: the expression failed. */
  | { readonly ok: false; readonly error: string; readonly kind: 'budget' | 'cost' | 'runtime'; readonly cost: number }

/** A value that is made when it is first read in an evaluation; its cost counts to that evaluation. */
export class Lazy {
  readonly #make: (budget: CelBudget) => CelResult
  constructor(make: (budget: CelBudget) => CelResult) {
    this.#make = make
  }
  read(budget: CelBudget): CelResult {
    return this.#make(budget)
  }
}

/** What the `authorizer` variable asks. Answers with the decision and its reason. */
export interface CelAuthorizer {
  authorize(asked: {
    readonly user?: { readonly namespace: string; readonly serviceAccount: string }
    readonly verb: string
    readonly path?: string
    readonly group?: string
    readonly resource?: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
    readonly fieldSelector?: string
    readonly labelSelector?: string
  }): { readonly allowed: boolean; readonly reason: string; readonly error?: string }
}
