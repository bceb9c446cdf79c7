/**
 * One coarse timer for all deadlines of the process: requests and watches have deadlines in
 * seconds, and a timer each would cost more than the requests. Due times are rounded up to a
 * quarter of a second; no timer runs while nothing is due.
 */

const TICK = 250

type Task = () => void

const slots = new Map<number, Set<Task>>()
let timer: NodeJS.Timeout | undefined
let armed = Infinity

function arm(): void {
  let next = Infinity
  for (const slot of slots.keys()) if (slot < next) next = slot
  if (timer !== undefined) clearTimeout(timer)
  timer = undefined
  armed = next
  if (next === Infinity) return
  timer = setTimeout(run, Math.max(1, next * TICK - performance.now()))
  timer.unref()
}

function run(): void {
  const now = performance.now()
  for (const [slot, tasks] of slots) {
    if (slot * TICK > now) continue
    slots.delete(slot)
    for (const task of tasks) task()
  }
  arm()
}

/** Calls `task` once after about `milliseconds`. Returns the way to cancel it. `task` must not throw. */
export function after(milliseconds: number, task: Task): () => void {
  const slot = Math.ceil((performance.now() + milliseconds) / TICK)
  let tasks = slots.get(slot)
  if (tasks === undefined) slots.set(slot, (tasks = new Set()))
  // A fresh function, so that the same task may be waiting twice.
  const entry: Task = () => task()
  tasks.add(entry)
  if (slot < armed) arm()
  return () => {
    tasks.delete(entry)
    if (tasks.size === 0 && slots.get(slot) === tasks) slots.delete(slot)
  }
}
