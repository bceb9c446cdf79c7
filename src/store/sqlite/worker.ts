import { parentPort, workerData } from 'node:worker_threads'
import { createFile } from './file.ts'
import { Database, FormatError } from './database.ts'
import type { DatabaseOptions, Failure, Reply, Request } from './protocol.ts'

/** A log larger than this is moved into the file when nobody has asked for anything for IDLE milliseconds. */
const LOG_IDLE = 1 << 20
const IDLE = 100
/** SQLite's code for a file that is no database. */
const NOT_A_DATABASE = 26

const port = parentPort!
const options = workerData as DatabaseOptions
let database: Database | undefined
let used = 0
let timer: NodeJS.Timeout | undefined
let collecting = false

function reply(message: Reply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof FormatError) return { type: 'failure', message, code: NOT_A_DATABASE }
  const code = (error as { errcode?: unknown }).errcode
  return { type: 'failure', message, code: typeof code === 'number' ? code : undefined }
}

function answer(db: Database, request: Request): void {
  switch (request.type) {
    case 'commit': {
      const { rows } = request
      const opened = db.commit(request.opens, Buffer.from(rows.buffer, 0, rows.length), request.drops)
      reply(
        { type: 'committed', opened },
        opened.map(({ rows }) => rows),
      )
      break
    }
    case 'page': {
      const page = db.page(request.range, request.after)
      reply({ type: 'page', ...page }, [page.rows])
      break
    }
    case 'ids':
      reply({ type: 'ids', ids: db.ids() })
      break
    case 'close':
      clearTimeout(timer)
      database = undefined
      db.close()
      reply({ type: 'closed' })
      port.close()
      break
  }
}

/** What can wait, done between requests: a big log, entries of dropped ranges, a small log once it is quiet. */
function keepHouse(db: Database): void {
  if (db.logged > options.maxLogBytes) db.checkpoint()
  if (db.hasGarbage && !collecting) {
    collecting = true
    setImmediate(collect)
  }
  if (db.logged > LOG_IDLE) timer ??= setTimeout(whenIdle, IDLE)
}

function collect(): void {
  collecting = false
  attempt((db) => db.collect())
}

function whenIdle(): void {
  timer = undefined
  attempt((db) => {
    if (performance.now() - used >= IDLE) db.checkpoint()
  })
}

function attempt(work: (db: Database) => void): void {
  if (database === undefined) return
  try {
    work(database)
    keepHouse(database)
  } catch (error) {
    // Tried again after the next request.
    reply({ type: 'trouble', failure: failureOf(error) })
  }
}

try {
  createFile(options.file)
  database = new Database(options)
  reply({ type: 'ready' })
  keepHouse(database)
  port.on('message', (request: Request) => {
    const db = database
    if (db === undefined) return
    used = performance.now()
    try {
      answer(db, request)
    } catch (error) {
      reply(failureOf(error))
    }
    attempt(() => undefined)
  })
  attempt(() => undefined)
} catch (error) {
  reply(failureOf(error))
}
