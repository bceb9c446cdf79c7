/** Bounds of the edge, against clients that are slow, greedy or hostile. */
export interface Limits {
  /** Bytes of all headers of a request. @default 65 536 */
  readonly headerBytes: number
  /** Number of headers of a request. @default 256 */
  readonly headerCount: number
  /** Requests at a time on one HTTP/2 connection. @default 250 */
  readonly streams: number
  /** Streams that a client may open and reset in a burst before its connection is ended. @default 1000 */
  readonly resetBurst: number
  /** How many of these it gets back each second. @default 50 */
  readonly resetRate: number
  /** Connections at a time to one cluster. @default 1000 */
  readonly connections: number
  /** Milliseconds for the TLS handshake. @default 10 000 */
  readonly handshake: number
  /** Milliseconds for the head of a request. @default 20 000 */
  readonly head: number
  /** Milliseconds from asking for a body to its end. @default 60 000 */
  readonly body: number
  /** Milliseconds that a client may take to read a finished answer. @default 300 000 */
  readonly answer: number
  /** Milliseconds without a request after which a connection is ended. @default 90 000 */
  readonly idle: number
  /** Milliseconds after which a connection takes no new request (GOAWAY); running ones go on. @default 3 600 000 */
  readonly age: number
  /** Milliseconds that running requests have to end when the listener closes. @default 5 000 */
  readonly close: number
}

export const defaultLimits: Limits = {
  headerBytes: 64 * 1024,
  headerCount: 256,
  streams: 250,
  resetBurst: 1000,
  resetRate: 50,
  connections: 1000,
  handshake: 10_000,
  head: 20_000,
  body: 60_000,
  answer: 300_000,
  idle: 90_000,
  age: 3_600_000,
  close: 5_000,
}
