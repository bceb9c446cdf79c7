/** The state file by which other commands find a running `up`. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { pointerFile, stateFile } from './paths.ts'

export interface UpState {
  readonly pid: number
  readonly dataDir: string
  /** Admin kubeconfig of the host cluster. */
  readonly kubeconfig: string
  readonly endpoint: string
}

/** Writes the state into the data directory and points this user's commands to it. */
export function writeState(state: UpState): void {
  for (const file of [stateFile(state.dataDir), pointerFile()]) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const partial = `${file}.${process.pid}`
    writeFileSync(partial, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
    renameSync(partial, file)
  }
}

/** Takes the state away; a pointer that another `up` has taken over stays. */
export function removeState(state: UpState): void {
  rmSync(stateFile(state.dataDir), { force: true })
  if (readState(undefined, false)?.pid === state.pid) rmSync(pointerFile(), { force: true })
}

/** The state of a running `up`: of this data directory, or the one last started by this user. */
export function readState(dataDir: string | undefined, alive = true): UpState | undefined {
  let state: UpState
  try {
    state = JSON.parse(readFileSync(dataDir === undefined ? pointerFile() : stateFile(dataDir), 'utf8')) as UpState
  } catch {
    return undefined
  }
  return !alive || running(state.pid) ? state : undefined
}

function running(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
