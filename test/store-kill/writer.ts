// Writes as fast as it can until it is killed; prints `range writer step revision` for every acknowledged write.
import { sqliteStore } from '../../src/store/sqlite.ts'
import { isDelete, keyOf, ranges, valueOf, writersOfRange } from './plan.ts'

const [file, round] = process.argv.slice(2)
const store = await sqliteStore({ file: file!, maxLogBytes: 1 << 20 })

for (const id of ranges) {
  const range = await store.open(id)
  for (let writer = 0; writer < writersOfRange; writer++) {
    const key = keyOf(Number(round), writer)
    const write = async () => {
      for (let step = 0; ; step++) {
        const [entry] = await range.write([
          {
            type: isDelete(step) ? 'delete' : 'put',
            key,
            expect: range.latest(key)?.revision ?? 0,
            encode: (revision) => ({ bytes: Buffer.from(valueOf(key, step, revision)) }),
          },
        ])
        // The next step waits until this line is with the reader: at most one step is without its line.
        const line = `${id} ${writer} ${step} ${entry!.revision}\n`
        await new Promise((resolve) => process.stdout.write(line, resolve))
      }
    }
    void write()
  }
}
