/**
 * The log back end: JSON lines in a file that is turned over by size, or into a stream. Lines wait in memory, bounded,
 * and are written in the background; when a disk cannot keep up, lines are dropped and counted, and nobody waits.
 */
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import type { Writable } from 'node:stream'
import type { AuditOutput } from './record.ts'

export interface AuditLogOptions {
  /** A file, or `-` for standard output. */
  readonly path: string
  /** Mebibytes of a file before it is turned over; 0: never. @default 100 */
  readonly maxSize?: number
  /** Days that old files are kept; 0: for ever. @default 0 */
  readonly maxAge?: number
  /** Old files that are kept; 0: all. @default 0 */
  readonly maxBackup?: number
  /** Bytes that may wait. @default 16 MiB */
  readonly buffer?: number
  /** Told of a file that cannot be written. @default none */
  readonly onError?: (error: unknown) => void
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number
}

const MIB = 2 ** 20
const DAY = 86_400_000

export class AuditLog implements AuditOutput {
  readonly #options: AuditLogOptions
  readonly #now: () => number
  #waiting: string[] = []
  #bytes = 0
  #writing: Promise<void> | undefined
  #file: { handle: FileHandle; size: number } | undefined
  /** Lines that were dropped. */
  dropped = 0

  constructor(options: AuditLogOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  write(line: string): void {
    // Counted in characters: most are one byte.
    if (this.#bytes + line.length > (this.#options.buffer ?? 16 * MIB)) {
      this.dropped++
      return
    }
    this.#waiting.push(line)
    this.#bytes += line.length
    this.#writing ??= this.#drain()
  }

  /** Writes what waits and lets go of the file. */
  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
    await this.#file?.handle.close()
    this.#file = undefined
  }

  async #drain(): Promise<void> {
    // What comes in the same turn is written together.
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) {
      const lines = this.#waiting
      this.#waiting = []
      try {
        await this.#append(Buffer.from(lines.join('')))
      } catch (error) {
        this.dropped += lines.length
        this.#options.onError?.(error)
        await this.#file?.handle.close().catch(() => undefined)
        this.#file = undefined
      }
      this.#bytes -= lines.reduce((sum, line) => sum + line.length, 0)
    }
    this.#writing = undefined
  }

  async #append(bytes: Buffer): Promise<void> {
    const { path, maxSize = 100 } = this.#options
    if (path === '-') return written(process.stdout, bytes)
    if (this.#file === undefined) await this.#open()
    const file = this.#file!
    if (maxSize > 0 && file.size > 0 && file.size + bytes.length > maxSize * MIB) await this.#turnOver()
    await this.#file!.handle.appendFile(bytes)
    this.#file!.size += bytes.length
  }

  async #open(): Promise<void> {
    const { path } = this.#options
    await mkdir(dirname(path), { recursive: true })
    const handle = await open(path, 'a', 0o600)
    this.#file = { handle, size: (await handle.stat()).size }
  }

  /** The full file is named after the time, as upstream's is: `audit-2026-01-02T15-04-05.000.log`. */
  async #turnOver(): Promise<void> {
    const { path } = this.#options
    await this.#file!.handle.close()
    this.#file = undefined
    const time = new Date(this.#now()).toISOString().slice(0, -1).replaceAll(':', '-')
    const extension = extname(path)
    let backup = `${path.slice(0, path.length - extension.length)}-${time}${extension}`
    while ((await stat(backup).catch(() => undefined)) !== undefined) backup = `${backup}${extension}`
    await rename(path, backup)
    await this.#open()
    await this.#forget()
  }

  async #forget(): Promise<void> {
    const { path, maxAge = 0, maxBackup = 0 } = this.#options
    if (maxAge === 0 && maxBackup === 0) return
    const extension = extname(path)
    const stem = `${basename(path, extension)}-`
    const backups = (await readdir(dirname(path)))
      .filter((name) => name.startsWith(stem) && name.endsWith(extension) && /-\d{4}-\d\d-\d\dT/.test(name))
      .toSorted()
      .toReversed()
    const oldest = this.#now() - maxAge * DAY
    for (const [i, name] of backups.entries()) {
      const file = join(dirname(path), name)
      const tooMany = maxBackup > 0 && i >= maxBackup
      const tooOld = maxAge > 0 && (await stat(file)).mtimeMs < oldest
      if (tooMany || tooOld) await rm(file, { force: true })
    }
  }
}

function written(stream: Writable, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error)))
  })
}
