/** A log that writes one JSON line for each message. */
import type { Log } from '../controllers/contract.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof LEVELS)[number]

/** @param least messages below this level are dropped */
export function jsonLog(write: (line: string) => void, least: Level = 'info', now: () => number = Date.now): Log {
  const at = (level: Level) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return () => {}
    return (msg: string, fields?: Record<string, unknown>) =>
      write(`${JSON.stringify({ time: new Date(now()).toISOString(), level, msg, ...fields })}\n`)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** A log that says nothing. */
export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
