/** The house rules that a machine can check: imports go down the floors only, and in no circle. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const src = join(root, 'src')
/** Top floor first. A file may import from its own floor and those below. */
const FLOORS = [
  'index.ts',
  'cli',
  'manager',
  'syncer',
  'cluster',
  'controllers',
  'apiserver',
  'client',
  'store',
  'machinery',
]
/** What the lowest floor may use of Node: nothing that reads, writes, waits or listens. */
const PURE = new Set(['node:crypto', 'node:buffer'])

const files = globSync('**/*.ts', { cwd: src }).filter((f) => !f.endsWith('.test.ts') && !f.endsWith('.suite.ts'))
const imports = new Map(files.map((file) => [file, importsOf(readFileSync(join(src, file), 'utf8'))]))

function importsOf(text: string): { specifier: string; typeOnly: boolean }[] {
  const out: { specifier: string; typeOnly: boolean }[] = []
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]/gm))
    out.push({ specifier: match[2]!, typeOnly: match[1] !== undefined })
  for (const match of text.matchAll(/^import\s+['"]([^'"]+)['"]/gm)) out.push({ specifier: match[1]!, typeOnly: false })
  for (const match of text.matchAll(/import\(['"]([^'"]+)['"]\)/g)) out.push({ specifier: match[1]!, typeOnly: true })
  return out
}

function floorOf(file: string): number {
  const floor = FLOORS.indexOf(file.split('/')[0]!)
  assert.notEqual(floor, -1, `${file} is on no floor of ${FLOORS.join(', ')}`)
  return floor
}

function targetOf(file: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? relative(src, join(src, dirname(file), specifier)) : undefined
}

test('imports go down the floors only', () => {
  for (const [file, list] of imports) {
    for (const { specifier } of list) {
      const target = targetOf(file, specifier)
      if (target === undefined || target.startsWith('..')) continue
      assert.ok(floorOf(target) >= floorOf(file), `${file} imports ${target}, which is a floor above`)
    }
  }
})

test('machinery does no input or output', () => {
  for (const [file, list] of imports) {
    if (!file.startsWith('machinery/')) continue
    for (const { specifier } of list) {
      if (specifier.startsWith('node:')) assert.ok(PURE.has(specifier), `${file} imports ${specifier}`)
    }
  }
})

test('the published program finds its files and loads nothing for nothing', () => {
  for (const [file, list] of imports) {
    const text = readFileSync(join(src, file), 'utf8')
    assert.doesNotMatch(text, /new URL\([^)]*import\.meta\.url\)/, `${file}: see machinery/own-file.ts`)
    if (file.startsWith('cli/') || file.endsWith('fixture.ts')) continue
    for (const { specifier, typeOnly } of list)
      assert.ok(typeOnly || !/^node:https?$/.test(specifier), `${file} imports ${specifier}: Node loads undici for it`)
  }
})

test('no imports run in a circle', () => {
  const state = new Map<string, 'open' | 'done'>()
  const visit = (file: string, way: readonly string[]): void => {
    if (state.get(file) === 'done') return
    assert.notEqual(state.get(file), 'open', `circle: ${[...way, file].join(' → ')}`)
    state.set(file, 'open')
    for (const { specifier, typeOnly } of imports.get(file) ?? []) {
      const target = targetOf(file, specifier)
      if (!typeOnly && target !== undefined && imports.has(target)) visit(target, [...way, file])
    }
    state.set(file, 'done')
  }
  for (const file of files) visit(file, [])
})

test('names are exported one by one: no defaults, no wildcards', () => {
  for (const file of files) {
    const text = readFileSync(join(src, file), 'utf8')
    assert.doesNotMatch(text, /^export default/m, file)
    assert.doesNotMatch(text, /^export \*/m, file)
  }
})
