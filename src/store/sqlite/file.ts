import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/** Makes the file, readable by its owner only (SQLite would let everybody read), and the directories above it. */
export function createFile(file: string): void {
  const directory = dirname(file)
  const made = mkdirSync(directory, { recursive: true, mode: 0o700 })
  try {
    // Only a file that is not there: closing any descriptor of an open database gives up the process's lock on it.
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  if (made === undefined) return
  // SQLite syncs the directory of its file; those above that are new are ours to sync.
  for (let path = directory; path.length >= made.length; path = dirname(path)) syncDirectory(dirname(path))
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
