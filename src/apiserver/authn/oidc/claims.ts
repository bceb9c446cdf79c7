/** From the claims of a checked identity token to a user, by claim names or by CEL expressions. */
import type { CelProgram, CelType } from '../../../machinery/cel/contract.ts'
import { toJson } from '../../../machinery/cel/output.ts'
import type { UserInfo } from '../../contract.ts'
import { CREDENTIAL_ID_EXTRA } from '../username.ts'
import {
  claimVariables,
  programKey,
  userVariables,
  type CheckedAuthentication,
  type JwtAuthenticator,
} from './config.ts'

type Claims = Readonly<Record<string, unknown>>

/** What all expressions of one token may cost together, in CEL's units. */
const BUDGET = 10_000_000

/** Why a token's claims give no user. */
class ClaimsError extends Error {}

/** The user, or why there is none. */
export function userOfClaims(
  jwt: JwtAuthenticator,
  programs: CheckedAuthentication['programs'],
  claims: Claims,
): { readonly user: UserInfo } | { readonly user?: undefined; readonly problem: string } {
  try {
    return { user: new Mapping(jwt, programs, claims).user() }
  } catch (error) {
    if (error instanceof ClaimsError) return { problem: `oidc: ${error.message}` }
    throw error
  }
}

class Mapping {
  readonly #jwt: JwtAuthenticator
  readonly #programs: CheckedAuthentication['programs']
  readonly #claims: Claims
  readonly #budget = { left: BUDGET, perCall: BUDGET }

  constructor(jwt: JwtAuthenticator, programs: CheckedAuthentication['programs'], claims: Claims) {
    this.#jwt = jwt
    this.#programs = programs
    this.#claims = claims
  }

  user(): UserInfo {
    const name = this.#username()
    const groups = this.#groups()
    const uid = this.#uid()
    const extra = this.#extra()
    this.#checkClaims()
    const user: UserInfo = {
      name,
      ...(uid !== '' && { uid }),
      groups,
      ...(Object.keys(extra).length > 0 && { extra }),
    }
    this.#checkUser(user)
    return user
  }

  #has(claim: string): boolean {
    return Object.hasOwn(this.#claims, claim)
  }

  #text(claim: string, what: string): string {
    const value = this.#has(claim) ? this.#claims[claim] : undefined
    if (value === undefined) throw new ClaimsError(`${what}: claim not present`)
    if (typeof value !== 'string')
      throw new ClaimsError(`${what}: json: cannot unmarshal ${kindOf(value)} into Go value of type string`)
    return value
  }

  #username(): string {
    const { claim = '', expression = '', prefix = '' } = this.#jwt.claimMappings.username
    if (expression !== '') {
      const value = this.#evaluate(expression, 'username claim expression')
      if (typeof value !== 'string')
        throw new ClaimsError(
          'error evaluating username claim expression: username claim expression must return a string',
        )
      if (value === '') throw new ClaimsError('empty username via CEL expression is not allowed')
      return value
    }
    const name = this.#text(claim, `parse username claims ${JSON.stringify(claim)}`)
    if (claim === 'email' && this.#has('email_verified')) {
      const verified = this.#claims['email_verified']
      if (typeof verified !== 'boolean')
        throw new ClaimsError(
          `parse 'email_verified' claim: json: cannot unmarshal ${kindOf(verified)} into Go value of type bool`,
        )
      if (!verified) throw new ClaimsError('email not verified')
    }
    return prefix + name
  }

  #groups(): readonly string[] {
    const { claim = '', expression = '', prefix = '' } = this.#jwt.claimMappings.groups ?? {}
    if (claim !== '' && this.#has(claim)) {
      const value = this.#claims[claim]
      const groups = typeof value === 'string' ? [value] : value
      if (!Array.isArray(groups) || !groups.every((group) => typeof group === 'string'))
        throw new ClaimsError(`parse groups claim ${JSON.stringify(claim)}: must be a string or a list of strings`)
      return groups.map((group) => prefix + group)
    }
    if (expression === '') return []
    return this.#strings(
      this.#evaluate(expression, 'group claim expression'),
      'error evaluating group claim expression',
    )
  }

  #uid(): string {
    const { claim = '', expression = '' } = this.#jwt.claimMappings.uid ?? {}
    if (claim !== '') return this.#text(claim, `parse uid claim ${JSON.stringify(claim)}`)
    if (expression === '') return ''
    const value = this.#evaluate(expression, 'uid claim expression')
    if (typeof value !== 'string')
      throw new ClaimsError('error evaluating uid claim expression: uid claim expression must return a string')
    return value
  }

  #extra(): Record<string, readonly string[]> {
    const extra = Object.create(null) as Record<string, readonly string[]>
    const jti = this.#has('jti') ? this.#claims['jti'] : undefined
    if (typeof jti === 'string' && jti !== '') extra[CREDENTIAL_ID_EXTRA] = [`JTI=${jti}`]
    for (const { key, valueExpression } of this.#jwt.claimMappings.extra ?? []) {
      const what = `error evaluating extra claim expression: ${valueExpression}`
      const values = this.#strings(this.#evaluate(valueExpression, 'extra claim expression'), what)
      if (values.length > 0) extra[key] = values
    }
    return extra
  }

  #checkClaims(): void {
    for (const { claim = '', requiredValue = '', expression = '', message = '' } of this.#jwt.claimValidationRules ??
      []) {
      if (claim !== '') {
        if (!this.#has(claim)) throw new ClaimsError(`required claim ${claim} not present in ID token`)
        const value = this.#text(claim, `parse claim ${claim}`)
        if (value !== requiredValue)
          throw new ClaimsError(`required claim ${claim} value does not match. Got = ${value}, want = ${requiredValue}`)
        continue
      }
      const what = 'claim validation expression'
      this.#judge(this.#evaluate(expression, what), expression, message, what)
    }
  }

  #checkUser(user: UserInfo): void {
    const { name: username, uid = '', groups, extra = {} } = user
    for (const { expression, message = '' } of this.#jwt.userValidationRules ?? []) {
      const what = 'user info validation rule'
      const value = this.#run(userVariables, expression, { user: { username, uid, groups, extra } }, what)
      this.#judge(value, expression, message, what)
    }
  }

  #judge(value: unknown, expression: string, message: string, what: string): void {
    if (value === true) return
    const why =
      value === false
        ? `validation expression '${expression}' failed: ${message}`
        : 'validation expression must return a boolean'
    throw new ClaimsError(`error evaluating ${what}: ${why}`)
  }

  #strings(value: unknown, what: string): readonly string[] {
    if (value === null) return []
    const list = typeof value === 'string' ? [value] : value
    if (!Array.isArray(list) || !list.every((each) => typeof each === 'string'))
      throw new ClaimsError(`${what}: expression must return a string or a list of strings`)
    return list.filter((each) => each !== '')
  }

  #evaluate(expression: string, what: string): unknown {
    return this.#run(claimVariables, expression, { claims: this.#claims }, what)
  }

  #run(
    variables: ReadonlyMap<string, CelType>,
    expression: string,
    values: Record<string, unknown>,
    what: string,
  ): unknown {
    const program: CelProgram = this.#programs.get(programKey(variables, expression))!
    const result = program.evaluate(values, this.#budget)
    if (!result.ok)
      throw new ClaimsError(`error evaluating ${what}: expression '${expression}' resulted in error: ${result.error}`)
    return toJson(result.value)
  }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value
}
