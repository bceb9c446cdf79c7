// npm start: the whole chain on one machine.
import { ensureInstalled, entry, handOver } from './bootstrap.js'

ensureInstalled()
await handOver(entry('cli/main'), ['demo', ...process.argv.slice(2)])
