/**
 * Round trips to a process that does nothing but be busy as long as a get takes alone: what the machine, with all that
 * runs on it, makes a client wait at least.
 */
import { once } from 'node:events'
import { connect } from 'node:net'

export interface Floor {
  /** Milliseconds of each round trip for so many seconds, one at a time, of which the other side is busy for `busy`. */
  trips(seconds: number, busy: number): Promise<number[]>
  close(): void
}

/** @param port of `echo.ts` */
export async function openFloor(port: number): Promise<Floor> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  return {
    async trips(seconds, busy) {
      const times: number[] = []
      const line = busy.toFixed(3)
      const end = performance.now() + seconds * 1000
      while (performance.now() < end) {
        const started = performance.now()
        socket.write(line)
        await once(socket, 'data')
        times.push(performance.now() - started)
      }
      return times
    },
    close: () => socket.destroy(),
  }
}
