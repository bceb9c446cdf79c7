/** A host cluster with two packed tenants over durable SQLite. Prints their kubeconfigs as one line of JSON; ends with its input. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCluster, createVirtualCluster } from '../../src/index.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'tenantry-neighbours-'))
const host = await createCluster({ store: 'sqlite', dataDir, nodes: 1 })
try {
  const loaded = await createVirtualCluster({ host, name: 'loaded', engine: 'packed' })
  const quiet = await createVirtualCluster({ host, name: 'quiet', engine: 'packed' })
  process.stdout.write(`${JSON.stringify({ loaded: loaded.kubeconfig, quiet: quiet.kubeconfig })}\n`)
  process.stdin.resume()
  await new Promise((resolve) => process.stdin.once('end', resolve))
} finally {
  await host[Symbol.asyncDispose]()
  rmSync(dataDir, { recursive: true, force: true })
}
