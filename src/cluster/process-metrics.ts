/** What a process says of itself, under the names that Prometheus' own libraries use. */
import { readdirSync } from 'node:fs'
import type { Registry } from '../apiserver/metrics/registry.ts'

/** @param backlog keys that wait for controllers */
export function processMetrics(registry: Registry, backlog: () => number): void {
  const gauge = (name: string, help: string, read: () => number): void => void registry.gauge({ name, help }, read)
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  gauge('process_cpu_seconds_total', 'Processor time, of user and system.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  const started = Date.now() / 1000 - process.uptime()
  gauge('process_start_time_seconds', 'When the process started, since the epoch.', () => started)
  gauge('process_open_fds', 'Open file descriptors.', openFiles)
  gauge('workqueue_depth', 'Keys that wait for controllers.', backlog)
}

/** -1 where the system does not tell. */
function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return -1
  }
}
