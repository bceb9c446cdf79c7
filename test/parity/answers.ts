/** Answers of the real server, kept outside the tree so that who works on a kind need not wait for it. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { KUBERNETES_VERSION } from '../support/kubernetes.ts'
import type { Answer, Case, Fixture } from './case.ts'

/** By a digest of what was asked, and of how answers are made comparable. */
export class Answers {
  readonly #file = join(
    process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
    'tenantry',
    'parity',
    `${KUBERNETES_VERSION}.jsonl`,
  )
  readonly #known = new Map<string, Answer[]>()
  readonly #way = readFileSync(join(import.meta.dirname, 'normalise.ts'), 'utf8')
  readonly #fixtures = new Map<string, Fixture>()
  #changed = false

  constructor(fixtures: readonly Fixture[]) {
    for (const fixture of fixtures) this.#fixtures.set(fixture.name, fixture)
  }

  read(): void {
    let text: string
    try {
      text = readFileSync(this.#file, 'utf8')
    } catch {
      return
    }
    for (const line of text.split('\n')) {
      if (line === '') continue
      const [key, answers] = JSON.parse(line) as [string, Answer[]]
      this.#known.set(key, answers)
    }
  }

  get(asked: Case): Answer[] | undefined {
    return this.#known.get(this.#key(asked))
  }

  set(asked: Case, answers: Answer[]): void {
    this.#known.set(this.#key(asked), answers)
    this.#changed = true
  }

  write(): void {
    if (!this.#changed) return
    // What other runs have asked stays.
    const own = [...this.#known]
    this.read()
    for (const [key, answers] of own) this.#known.set(key, answers)
    mkdirSync(dirname(this.#file), { recursive: true })
    const partial = `${this.#file}.${process.pid}`
    writeFileSync(partial, [...this.#known].map((entry) => `${JSON.stringify(entry)}\n`).join(''))
    renameSync(partial, this.#file)
  }

  #key(asked: Case): string {
    const fixture = asked.fixture === undefined ? undefined : this.#fixtures.get(asked.fixture)
    return createHash('sha1')
      .update(JSON.stringify([this.#way, fixture, asked.id, asked.steps]))
      .digest('base64url')
  }
}
