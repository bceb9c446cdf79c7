/** One client connection, whatever it speaks. */
import type { Authorities } from './authorities.ts'
import type { Limits } from './limits.ts'
import type { OpenExchange } from './request.ts'
import type { Swept } from './sweep.ts'

export interface Connection extends Swept {
  /** Takes no new requests; running ones end in their own time. */
  leave(): void
  /** As `leave`, and tells streams to end. */
  close(): void
  destroy(): void
}

/** What a connection needs from its listener. */
export interface Surroundings {
  readonly limits: Limits
  /** What signs certificates of clients, and of front proxies; absent where proxies are not known. */
  readonly authorities?: Authorities | undefined
  run(exchange: OpenExchange): void
  closed(connection: Connection): void
}
