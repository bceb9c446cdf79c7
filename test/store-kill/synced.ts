// Writes into two ranges at once; each value names its write, and so does each acknowledgement.
import { writeSync } from 'node:fs'
import { sqliteStore } from '../../src/store/sqlite.ts'

const store = await sqliteStore({ file: process.argv[2]!, maxLogBytes: 256 << 10 })
const ranges = [await store.open('one'), await store.open('two')]

async function write(writer: number): Promise<void> {
  const range = ranges[writer % ranges.length]!
  for (let step = 0; step < 20; step++) {
    const name = `W${writer}S${step}E`
    await range.write([
      { type: 'put', key: `core/configmaps/d/${writer}`, encode: () => ({ bytes: Buffer.from(`value-${name}`) }) },
    ])
    writeSync(1, `ack-${name}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)))
await store.close()
