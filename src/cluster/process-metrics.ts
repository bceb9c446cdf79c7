/** What a process says of itself, under the names that Prometheus' own libraries use. */
import { readdirSync, readFileSync } from 'node:fs'
import type { Registry } from '../apiserver/metrics/registry.ts'

export function processMetrics(registry: Registry): void {
  const gauge = (name: string, help: string, read: () => number) => void registry.gauge({ name, help }, read)
  const counter = (name: string, help: string, read: () => number) => void registry.counter({ name, help }, read)
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  counter('process_cpu_seconds_total', 'Processor time, of user and system.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  const started = Date.now() / 1000 - process.uptime()
  gauge('process_start_time_seconds', 'When the process started, since the epoch.', () => started)
  gauge('process_open_fds', 'Open file descriptors.', openFiles)
  gauge('process_max_fds', 'File descriptors that may be open.', () => limit('Max open files'))
  // The 23rd word of the line, of which the second is a name in parentheses.
  gauge('process_virtual_memory_bytes', 'Virtual memory.', () =>
    number(
      read('stat')
        .replace(/^.*\) /s, '')
        .split(' ')[20],
    ),
  )
  gauge('process_virtual_memory_max_bytes', 'Virtual memory that may be taken.', () => limit('Max address space'))
  counter('process_network_receive_bytes_total', 'Bytes received over the network.', () => octets('InOctets'))
  counter('process_network_transmit_bytes_total', 'Bytes sent over the network.', () => octets('OutOctets'))
}

/** A file of Linux about this process; '' elsewhere. */
function read(name: string): string {
  try {
    return readFileSync(`/proc/self/${name}`, 'utf8')
  } catch {
    return ''
  }
}

/** -1 for what the system does not tell. */
const number = (text: string | undefined): number => (text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : -1)

/** The soft limit; upstream shows no limit as the largest number. */
function limit(name: string): number {
  const text = new RegExp(`^${name} +(\\S+)`, 'm').exec(read('limits'))?.[1]
  return text === 'unlimited' ? 2 ** 64 : number(text)
}

function octets(name: string): number {
  const [names = '', values = ''] = read('net/netstat')
    .split('\n')
    .filter((line) => line.startsWith('IpExt:'))
  return number(values.split(' ')[names.split(' ').indexOf(name)])
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return -1
  }
}
