/** Bearer tokens of every kind: whoever knows a token says whose it is. */
import type { UserInfo } from '../contract.ts'
import { AUTHENTICATED } from './username.ts'

export type TokenResult =
  | { readonly user: UserInfo; readonly audiences: readonly string[] }
  /** `problem` is '' for what is no token of this kind at all. */
  | { readonly user?: undefined; readonly problem: string }

/** Told what is worth a note about a token that is used. */
export interface TokenNotes {
  /** For the audit log. */
  annotate(key: string, value: string): void
  /** For who uses it. */
  warn(text: string): void
}

/** One kind of tokens. */
export interface TokenSource {
  /** @param audiences of which the token must be for one. @default the API server's */
  check(token: string, audiences?: readonly string[], notes?: TokenNotes): TokenResult | Promise<TokenResult>
}

/** Tokens that know nothing of audiences: they are for the API server. */
export interface PlainTokenSource {
  check(token: string, notes?: TokenNotes): PlainResult | Promise<PlainResult>
}

export type PlainResult = { readonly user: UserInfo } | { readonly user?: undefined; readonly problem: string }

/** The same as a source that knows the API server's audiences. */
export function forAudiences(source: PlainTokenSource, own: readonly string[]): TokenSource {
  const answer = (result: PlainResult, wanted: readonly string[]): TokenResult => {
    if (result.user === undefined) return result
    const audiences = wanted.filter((audience) => own.includes(audience))
    if (audiences.length > 0) return { user: authenticated(result.user), audiences }
    return { problem: '' }
  }
  return {
    check(token, wanted = own, notes?) {
      const result = source.check(token, notes)
      return result instanceof Promise ? result.then((found) => answer(found, wanted)) : answer(result, wanted)
    },
  }
}

/** Everybody who is known is in `system:authenticated`. */
function authenticated(user: UserInfo): UserInfo {
  return user.groups.includes(AUTHENTICATED) ? user : { ...user, groups: [...user.groups, AUTHENTICATED] }
}

/**
 * All kinds in order; the first that knows the token answers. In the caller's turn as long as no kind asks others.
 */
export function tokenUnion(sources: readonly TokenSource[]): TokenSource {
  return { check: (token, audiences, notes) => ask(sources, 0, [], { token, audiences, notes }) }
}

interface Asked {
  readonly token: string
  readonly audiences: readonly string[] | undefined
  readonly notes: TokenNotes | undefined
}

function ask(
  sources: readonly TokenSource[],
  from: number,
  problems: readonly string[],
  asked: Asked,
): TokenResult | Promise<TokenResult> {
  const { token, audiences, notes } = asked
  let found = problems
  for (let i = from; i < sources.length; i++) {
    const result = sources[i]!.check(token, audiences, notes)
    if (result instanceof Promise) {
      return result.then((known) => {
        if (known.user !== undefined) return known
        return ask(sources, i + 1, known.problem === '' ? found : [...found, known.problem], asked)
      })
    }
    if (result.user !== undefined) return result
    if (result.problem !== '') found = [...found, result.problem]
  }
  return { problem: found.join(', ') }
}
