/** Tokens of service accounts that were used, by what they are. */
import type { Counter } from './family.ts'
import type { Registry } from './registry.ts'

export type TokenUse = 'valid' | 'stale' | 'legacy' | 'legacy-auto' | 'legacy-manual' | 'invalid-legacy-auto'

export class AccountMetrics {
  readonly #uses: Readonly<Record<TokenUse, Counter>>

  constructor(registry: Registry) {
    const counter = (name: string, stability: 'BETA' | 'ALPHA', what: string): Counter =>
      registry.counter({ name: `serviceaccount_${name}_total`, stability, help: `${what} that were used.` })
    this.#uses = {
      valid: counter('valid_tokens', 'BETA', 'Bound tokens'),
      stale: counter('stale_tokens', 'BETA', 'Bound tokens that should have been renewed'),
      legacy: counter('legacy_tokens', 'BETA', 'Tokens in Secrets'),
      'legacy-auto': counter('legacy_auto_token_uses', 'ALPHA', 'Tokens in Secrets that were made for an account'),
      'legacy-manual': counter('legacy_manual_token_uses', 'ALPHA', 'Tokens in Secrets that somebody made'),
      'invalid-legacy-auto': counter('invalid_legacy_auto_token_uses', 'ALPHA', 'Invalid tokens in Secrets'),
    }
  }

  used(what: TokenUse): void {
    this.#uses[what].add()
  }
}
