/**
 * Writes src/machinery/types/generated from the Go modules that tools/generate pins.
 * Needs Go; the output is committed, so only a change of the pinned version asks for a run.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildAll } from './generate/build.ts'
import { findModules } from './generate/modules.ts'

const OUTPUT = new URL('../src/machinery/types/generated/', import.meta.url)

mkdirSync(OUTPUT, { recursive: true })
for (const [file, text] of buildAll(findModules())) {
  const path = fileURLToPath(new URL(file, OUTPUT))
  writeFileSync(path, text)
  console.log(`${path}: ${text.length} characters`)
}
