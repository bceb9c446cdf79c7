/** The committed type table is what `npm run generate` makes of the pinned Go modules. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { buildAll } from '../../scripts/generate/build.ts'
import { type Modules, findModules } from '../../scripts/generate/modules.ts'

const OUTPUT = new URL('../../src/machinery/types/generated/', import.meta.url)

/** The modules, or why there are none. */
function modules(): Modules | string {
  try {
    return findModules()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

test('the generated type table and kinds are current', (t) => {
  const found = modules()
  if (typeof found === 'string') {
    assert.notEqual(process.env['CI'], 'true', `Go and its modules are needed in CI: ${found}`)
    t.skip(`Go modules are not available: ${found}`)
    return
  }
  for (const [file, text] of buildAll(found)) {
    assert.ok(readFileSync(new URL(file, OUTPUT), 'utf8') === text, `${file} is old: run npm run generate`)
  }
})
