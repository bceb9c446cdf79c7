/** What must hold for the claims of every identity token. Pure; problems are in upstream's words. */

/** Seconds by which a token may be from the future. */
const LEEWAY = 60

/** Google's tokens leave the scheme out. */
export function issuerOf({ iss }: Readonly<Record<string, unknown>>): string {
  if (typeof iss !== 'string') return ''
  return iss === 'accounts.google.com' ? 'https://accounts.google.com' : iss
}

/** `now`: seconds since the epoch. */
export function timeProblem({ exp, nbf }: Readonly<Record<string, unknown>>, now: number): string | undefined {
  if (typeof exp !== 'number' || exp < now) return 'oidc: token is expired'
  if (typeof nbf === 'number' && now + LEEWAY < nbf) return 'oidc: current time before the nbf (not before) time'
  return undefined
}

export function audienceProblem(
  { aud }: Readonly<Record<string, unknown>>,
  wanted: readonly string[],
): string | undefined {
  const given = typeof aud === 'string' ? [aud] : Array.isArray(aud) ? aud : []
  if (wanted.some((audience) => given.includes(audience))) return undefined
  const quoted = (list: readonly unknown[]): string => `[${list.map((one) => JSON.stringify(one)).join(' ')}]`
  return `oidc: expected audience in ${quoted([...wanted].toSorted())} got ${quoted(given)}`
}
