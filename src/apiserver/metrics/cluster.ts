/** The metrics of one cluster. Nothing is kept of what was not yet counted. */
import { AccessMetrics } from './access.ts'
import { AccountMetrics } from './accounts.ts'
import { AdmissionMetrics } from './admission.ts'
import { ConversionMetrics } from './conversions.ts'
import { FlowMetrics } from './flow.ts'
import { inOrder, Registry } from './registry.ts'
import { RequestMetrics } from './requests.ts'
import { WatchMetrics } from './watches.ts'

export class ClusterMetrics {
  readonly #registry = new Registry()
  readonly #before: (() => void)[] = []
  #requests: RequestMetrics | undefined
  #access: AccessMetrics | undefined
  #admission: AdmissionMetrics | undefined
  #flow: FlowMetrics | undefined
  #watches: WatchMetrics | undefined
  #accounts: AccountMetrics | undefined
  #conversions: ConversionMetrics | undefined
  readonly #others: () => Iterable<readonly [name: string, text: string]>

  /** @param others families that are read elsewhere when somebody asks, by name */
  constructor(others: () => Iterable<readonly [name: string, text: string]> = () => []) {
    this.#others = others
  }

  get requests(): RequestMetrics {
    return (this.#requests ??= new RequestMetrics(this.#registry))
  }

  get access(): AccessMetrics {
    return (this.#access ??= new AccessMetrics(this.#registry))
  }

  get admission(): AdmissionMetrics {
    return (this.#admission ??= new AdmissionMetrics(this.#registry))
  }

  get flow(): FlowMetrics {
    return (this.#flow ??= new FlowMetrics(this.#registry))
  }

  get watches(): WatchMetrics {
    return (this.#watches ??= new WatchMetrics(this.#registry))
  }

  get accounts(): AccountMetrics {
    return (this.#accounts ??= new AccountMetrics(this.#registry))
  }

  get conversions(): ConversionMetrics {
    return (this.#conversions ??= new ConversionMetrics(this.#registry))
  }

  /** Calls `work` before each reading. */
  onRender(work: () => void): void {
    this.#before.push(work)
  }

  /** Counts start anew. */
  reset(): void {
    this.#registry.reset()
  }

  /** All of it as `/metrics` shows it. */
  render(): string {
    for (const work of this.#before) work()
    // What has no labels is shown before it is counted.
    void [this.requests, this.access, this.admission, this.flow, this.watches, this.accounts]
    return inOrder(new Map([...this.#registry.texts(), ...this.#others()]))
  }
}
