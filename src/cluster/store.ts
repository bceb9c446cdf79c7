/** The store of a process. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '../store/contract.ts'

export interface StoreChoice {
  /** 'sqlite' keeps everything in `dataDir`, 'memory' nothing. */
  readonly store: 'sqlite' | 'memory'
  /** Directory for state; made if it is not there. */
  readonly dataDir: string
}

export async function openStore({ store, dataDir }: StoreChoice): Promise<Store> {
  if (store === 'memory') return (await import('../store/memory.ts')).memoryStore()
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  return (await import('../store/sqlite.ts')).sqliteStore({ file: join(dataDir, 'tenantry.db') })
}
