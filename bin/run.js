// Runs a TypeScript file of the clone on Node 26: node bin/run.js FILE [ARG …]
import { resolve } from 'node:path'
import { ensureInstalled, fail, handOver } from './bootstrap.js'

const [file, ...args] = process.argv.slice(2)
if (file === undefined) fail('usage: node bin/run.js FILE [ARG …]')
ensureInstalled()
await handOver(resolve(file), args)
