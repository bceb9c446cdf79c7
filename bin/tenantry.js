#!/usr/bin/env node
import { ensureInstalled, entry, handOver } from './bootstrap.js'

ensureInstalled()
await handOver(entry('cli/main'), process.argv.slice(2))
