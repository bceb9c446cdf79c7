/** Structured authentication configuration, apiserver.config.k8s.io/v1 AuthenticationConfiguration. */
import { compile } from '../../../machinery/cel/compile.ts'
import type { CelProgram, CelType } from '../../../machinery/cel/contract.ts'
import { DecodeError } from '../../../machinery/codec/error.ts'
import { decodeYaml } from '../../../machinery/codec/yaml.ts'
import { isDns1123Subdomain } from '../../../machinery/names.ts'
import { child, duplicate, index, invalid, required, type FieldError } from '../../../machinery/field.ts'

interface ClaimOrExpression {
  readonly claim?: string
  readonly expression?: string
}

interface PrefixedClaim extends ClaimOrExpression {
  readonly prefix?: string
}

export interface JwtAuthenticator {
  readonly issuer: {
    readonly url: string
    readonly discoveryURL?: string
    /** PEM; nobody else is trusted then. */
    readonly certificateAuthority?: string
    readonly audiences: readonly string[]
    readonly audienceMatchPolicy?: string
    readonly egressSelectorType?: string
  }
  readonly claimValidationRules?: readonly {
    readonly claim?: string
    readonly requiredValue?: string
    readonly expression?: string
    readonly message?: string
  }[]
  readonly claimMappings: {
    readonly username: PrefixedClaim
    readonly groups?: PrefixedClaim
    readonly uid?: ClaimOrExpression
    readonly extra?: readonly { readonly key: string; readonly valueExpression: string }[]
  }
  readonly userValidationRules?: readonly { readonly expression: string; readonly message?: string }[]
}

/** As in its file, without kind and version. */
export interface AuthenticationConfig {
  readonly jwt?: readonly JwtAuthenticator[]
  readonly anonymous?: { readonly enabled: boolean; readonly conditions?: readonly { readonly path: string }[] }
}

/** A configuration that was found good; made by {@link checkAuthentication} only. */
export interface CheckedAuthentication {
  readonly config: AuthenticationConfig
  /** Compiled expressions by their text. */
  readonly programs: ReadonlyMap<string, CelProgram>
}

/** What a broken configuration is refused with. */
export class AuthenticationConfigError extends Error {
  override readonly name = 'AuthenticationConfigError'
}

/** Bounds against configurations that tenants write. Upstream has the first one. */
const MAX_JWT = 64
const MAX_ITEMS = 256
const MAX_EXPRESSION = 16 * 1024

/** Reads a file's text, with its kind. @throws AuthenticationConfigError */
export function readAuthentication(text: string, disallowedIssuers: readonly string[] = []): CheckedAuthentication {
  let value: unknown
  try {
    value = decodeYaml(text).value
  } catch (error) {
    if (error instanceof DecodeError) throw new AuthenticationConfigError(error.message)
    throw error
  }
  const { apiVersion, kind, ...config } = (isMap(value) ? value : {}) as Record<string, unknown>
  const versions = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `apiserver.config.k8s.io/${version}`)
  if (kind !== 'AuthenticationConfiguration' || !versions.includes(apiVersion as string)) {
    const which = `kind ${JSON.stringify(kind ?? '')} in version ${JSON.stringify(apiVersion ?? '')}`
    throw new AuthenticationConfigError(`no ${which} is registered, expected AuthenticationConfiguration`)
  }
  return checkAuthentication(config, disallowedIssuers)
}

/**
 * @param disallowedIssuers whose tokens are checked otherwise: the cluster's own
 * @throws AuthenticationConfigError with upstream's words for each field
 */
export function checkAuthentication(value: unknown, disallowedIssuers: readonly string[] = []): CheckedAuthentication {
  const shape = shapeProblem(value)
  if (shape !== undefined) throw new AuthenticationConfigError(shape)
  const config = value as AuthenticationConfig
  const check = new Check(disallowedIssuers)
  check.config(config)
  if (check.problems.length > 0) {
    const texts = check.problems.map(({ field, message }) => `${field}: ${message}`)
    throw new AuthenticationConfigError(texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`)
  }
  return { config, programs: check.programs }
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const TEXT = 'text'
const FLAG = 'flag'
type Shape = typeof TEXT | typeof FLAG | readonly [Shape] | { readonly [field: string]: Shape }

const PREFIXED = { claim: TEXT, expression: TEXT, prefix: TEXT } as const
const SHAPE: Shape = {
  jwt: [
    {
      issuer: {
        url: TEXT,
        discoveryURL: TEXT,
        certificateAuthority: TEXT,
        audiences: [TEXT],
        audienceMatchPolicy: TEXT,
        egressSelectorType: TEXT,
      },
      claimValidationRules: [{ claim: TEXT, requiredValue: TEXT, expression: TEXT, message: TEXT }],
      claimMappings: {
        username: PREFIXED,
        groups: PREFIXED,
        uid: { claim: TEXT, expression: TEXT },
        extra: [{ key: TEXT, valueExpression: TEXT }],
      },
      userValidationRules: [{ expression: TEXT, message: TEXT }],
    },
  ],
  anonymous: { enabled: FLAG, conditions: [{ path: TEXT }] },
}

/** What is of a wrong type or unknown, as Go's strict decoder tells it; undefined: nothing. */
function shapeProblem(value: unknown, shape: Shape = SHAPE, path = ''): string | undefined {
  if (value === undefined || value === null) return undefined
  if (shape === TEXT) return typeof value === 'string' ? undefined : `${path}: must be a string`
  if (shape === FLAG) return typeof value === 'boolean' ? undefined : `${path}: must be a boolean`
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return `${path}: must be a list`
    if (value.length > MAX_ITEMS) return `${path}: must have at most ${MAX_ITEMS} items`
    return value
      .map((item, i) => shapeProblem(item, shape[0] as Shape, index(path, i)))
      .find((found) => found !== undefined)
  }
  if (!isMap(value)) return `${path === '' ? 'the configuration' : path}: must be an object`
  for (const [name, part] of Object.entries(value)) {
    if (!Object.hasOwn(shape as object, name))
      return `strict decoding error: unknown field ${JSON.stringify(child(path, name))}`
    const problem = shapeProblem(part, (shape as Record<string, Shape>)[name]!, child(path, name))
    if (problem !== undefined) return problem
  }
  return undefined
}

const STRINGS: CelType = { kind: 'list', item: { kind: 'string' } }
const USER: CelType = {
  kind: 'object',
  name: 'kubernetes.UserInfo',
  field: (name) =>
    name === 'username' || name === 'uid'
      ? { kind: 'string' }
      : name === 'groups'
        ? STRINGS
        : name === 'extra'
          ? { kind: 'map', key: { kind: 'string' }, value: STRINGS }
          : undefined,
}
const CLAIMS: CelType = { kind: 'map', key: { kind: 'string' }, value: { kind: 'dyn' } }
export const claimVariables: ReadonlyMap<string, CelType> = new Map([['claims', CLAIMS]])
export const userVariables: ReadonlyMap<string, CelType> = new Map([['user', USER]])

class Check {
  readonly problems: FieldError[] = []
  readonly programs = new Map<string, CelProgram>()
  readonly #disallowed: readonly string[]
  #email = false
  #verified = false

  constructor(disallowed: readonly string[]) {
    this.#disallowed = disallowed
  }

  config({ jwt = [], anonymous }: AuthenticationConfig): void {
    if (jwt.length > MAX_JWT) {
      this.problems.push({
        type: 'FieldValueTooMany',
        field: 'jwt',
        message: `Too many: ${jwt.length}: must have at most ${MAX_JWT} items`,
      })
      return
    }
    const urls = new Set<string>()
    const discoveries = new Set<string>()
    for (const [i, each] of (jwt as readonly Partial<JwtAuthenticator>[]).entries()) {
      const at = index('jwt', i)
      this.#jwt(each, at)
      const { url = '', discoveryURL = '' }: Partial<JwtAuthenticator['issuer']> = each.issuer ?? {}
      if (urls.has(url)) this.problems.push(duplicate(`${at}.issuer.url`, url))
      urls.add(url)
      if (discoveryURL !== '' && discoveries.has(discoveryURL))
        this.problems.push(duplicate(`${at}.issuer.discoveryURL`, discoveryURL))
      discoveries.add(discoveryURL)
    }
    if (anonymous !== undefined && !anonymous.enabled && (anonymous.conditions ?? []).length > 0) {
      const detail = 'enabled should be set to true when conditions are defined'
      this.problems.push(invalid('anonymous.conditions', anonymous.conditions, detail))
    }
  }

  #jwt(jwt: Partial<JwtAuthenticator>, at: string): void {
    this.#email = false
    this.#verified = false
    this.#issuer(jwt.issuer ?? {}, child(at, 'issuer'))
    this.#rules(jwt.claimValidationRules ?? [], child(at, 'claimValidationRules'))
    this.#mappings(jwt.claimMappings ?? {}, child(at, 'claimMappings'))
    const seen = new Set<string>()
    for (const [i, { expression = '' }] of (jwt.userValidationRules ?? []).entries()) {
      const path = `${index(child(at, 'userValidationRules'), i)}.expression`
      if (expression === '') this.problems.push(required(path))
      else if (seen.has(expression)) this.problems.push(duplicate(path, expression))
      else this.#compile(expression, path, userVariables, true)
      seen.add(expression)
    }
  }

  #issuer(issuer: Partial<JwtAuthenticator['issuer']>, at: string): void {
    const { url = '', discoveryURL = '', audiences = [], audienceMatchPolicy = '', certificateAuthority = '' } = issuer
    if (url === '') this.problems.push(required(child(at, 'url')))
    else this.#url(url, child(at, 'url'), this.#disallowed)
    if (discoveryURL !== '') {
      const path = child(at, 'discoveryURL')
      const bare = (text: string): string => text.replace(/\/+$/, '')
      if (url !== '' && bare(url) === bare(discoveryURL))
        this.problems.push(invalid(path, discoveryURL, 'discoveryURL must be different from URL'))
      this.#url(discoveryURL, path, [])
    }
    this.#audiences(audiences, audienceMatchPolicy, at)
    if (
      certificateAuthority !== '' &&
      !/-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.test(certificateAuthority)
    ) {
      const detail = 'data does not contain any valid RSA or ECDSA certificates'
      this.problems.push(invalid(child(at, 'certificateAuthority'), '<omitted>', detail))
    }
    const selector = issuer.egressSelectorType ?? ''
    if (selector !== '' && selector !== 'controlplane' && selector !== 'cluster') {
      const detail = 'egress selector must be either controlplane or cluster'
      this.problems.push(invalid(child(at, 'egressSelectorType'), selector, detail))
    }
  }

  #audiences(audiences: readonly string[], policy: string, at: string): void {
    const path = child(at, 'audiences')
    if (audiences.length === 0) {
      this.problems.push(required(path, `at least one ${path} is required`))
      return
    }
    const seen = new Set<string>()
    for (const [i, audience] of audiences.entries()) {
      if (audience === '') this.problems.push(required(index(path, i)))
      if (seen.has(audience)) this.problems.push(duplicate(index(path, i), audience))
      seen.add(audience)
    }
    const where = child(at, 'audienceMatchPolicy')
    if (audiences.length > 1 && policy !== 'MatchAny')
      this.problems.push(invalid(where, policy, 'audienceMatchPolicy must be MatchAny for multiple audiences'))
    if (audiences.length === 1 && policy !== '' && policy !== 'MatchAny') {
      const detail = 'audienceMatchPolicy must be empty or MatchAny for single audience'
      this.problems.push(invalid(where, policy, detail))
    }
  }

  #url(url: string, path: string, disallowed: readonly string[]): void {
    if (disallowed.includes(url)) {
      const detail = `URL must not overlap with disallowed issuers: [${disallowed.join(' ')}]`
      this.problems.push(invalid(path, url, detail))
    }
    if (!URL.canParse(url)) {
      this.problems.push(
        invalid(path, url, url.startsWith('https://') ? 'URL cannot be parsed' : 'URL scheme must be https'),
      )
      return
    }
    const { protocol, username, password, search, hash } = new URL(url)
    if (protocol !== 'https:') this.problems.push(invalid(path, url, 'URL scheme must be https'))
    if (username !== '' || password !== '')
      this.problems.push(invalid(path, url, 'URL must not contain a username or password'))
    if (search !== '') this.problems.push(invalid(path, url, 'URL must not contain a query'))
    if (hash !== '') this.problems.push(invalid(path, url, 'URL must not contain a fragment'))
  }

  #rules(rules: NonNullable<JwtAuthenticator['claimValidationRules']>, at: string): void {
    const claims = new Set<string>()
    const expressions = new Set<string>()
    for (const [i, { claim = '', expression = '', message = '', requiredValue = '' }] of rules.entries()) {
      const path = index(at, i)
      if (claim !== '' && expression !== '')
        this.problems.push(invalid(path, claim, "claim and expression can't both be set"))
      else if (claim === '' && expression === '') this.problems.push(required(path, 'claim or expression is required'))
      else if (claim !== '') {
        if (message !== '')
          this.problems.push(invalid(child(path, 'message'), message, 'may not be specified when claim is set'))
        if (claims.has(claim)) this.problems.push(duplicate(child(path, 'claim'), claim))
        claims.add(claim)
      } else {
        if (requiredValue !== '') {
          const detail = 'may not be specified when expression is set'
          this.problems.push(invalid(child(path, 'requiredValue'), requiredValue, detail))
        }
        if (expressions.has(expression)) this.problems.push(duplicate(child(path, 'expression'), expression))
        else {
          this.#compile(expression, child(path, 'expression'), claimVariables, true)
          this.#verified ||= usesClaim(expression, 'email_verified')
        }
        expressions.add(expression)
      }
    }
  }

  #mappings(mappings: Partial<JwtAuthenticator['claimMappings']>, at: string): void {
    const { username = {}, groups = {}, uid = {}, extra = [] } = mappings
    if (this.#mapping(username, child(at, 'username'), true)) {
      this.#email ||= usesClaim(username.expression!, 'email')
      this.#verified ||= usesClaim(username.expression!, 'email_verified')
    }
    this.#mapping(groups, child(at, 'groups'), false)
    const path = child(at, 'uid')
    if ((uid.claim ?? '') !== '' && (uid.expression ?? '') !== '')
      this.problems.push(invalid(path, '', "claim and expression can't both be set"))
    else if ((uid.expression ?? '') !== '')
      this.#compile(uid.expression!, child(path, 'expression'), claimVariables, false)
    this.#extra(extra, child(at, 'extra'))
    if (this.#email && !this.#verified) {
      const detail =
        'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression'
      this.problems.push(invalid(`${at}.username.expression`, username.expression ?? '', detail))
    }
  }

  /** Whether it is an expression that compiles. */
  #mapping(mapping: PrefixedClaim, at: string, needed: boolean): boolean {
    const { claim = '', expression = '', prefix } = mapping
    if (claim !== '' && expression !== '') this.problems.push(invalid(at, '', "claim and expression can't both be set"))
    else if (claim === '' && expression === '') {
      if (needed) this.problems.push(required(at, 'claim or expression is required'))
    } else if (expression !== '') {
      if (prefix !== undefined)
        this.problems.push(invalid(child(at, 'prefix'), prefix, 'may not be specified when expression is set'))
      return this.#compile(expression, child(at, 'expression'), claimVariables, false)
    } else if (prefix === undefined) {
      const detail = 'prefix is required when claim is set. It can be set to an empty string to disable prefixing'
      this.problems.push(required(child(at, 'prefix'), detail))
    }
    return false
  }

  #extra(extra: NonNullable<JwtAuthenticator['claimMappings']['extra']>, at: string): void {
    const seen = new Set<string>()
    for (const [i, { key = '', valueExpression = '' }] of extra.entries()) {
      const path = index(at, i)
      const where = child(path, 'key')
      this.problems.push(...domainPrefixedProblems(key, where))
      if (key !== key.toLowerCase()) this.problems.push(invalid(where, key, 'must be lowercase'))
      if (/^(?:[^/]*\.)?(?:kubernetes|k8s)\.io\//.test(key)) {
        const detail = 'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use'
        this.problems.push(invalid(where, key, detail))
      }
      if (seen.has(key)) this.problems.push(duplicate(where, key))
      else if (valueExpression === '') this.problems.push(required(child(path, 'valueExpression')))
      else {
        this.#compile(valueExpression, child(path, 'valueExpression'), claimVariables, false)
        this.#verified ||= usesClaim(valueExpression, 'email_verified')
      }
      seen.add(key)
    }
  }

  #compile(text: string, path: string, variables: ReadonlyMap<string, CelType>, condition: boolean): boolean {
    if (text.length > MAX_EXPRESSION) {
      this.problems.push(invalid(path, text.slice(0, 100), `must be at most ${MAX_EXPRESSION} characters`))
      return false
    }
    const compiled = compile(text, { profile: 'authentication', variables })
    if (!compiled.ok) {
      const stage = compiled.stage === 'program' ? 'program instantiation failed' : 'compilation failed'
      this.problems.push(invalid(path, text, `${stage}: ${compiled.issues}`))
      return false
    }
    if (condition && compiled.program.type.kind !== 'bool') {
      this.problems.push(invalid(path, text, 'must evaluate to bool'))
      return false
    }
    this.programs.set(programKey(variables, text), compiled.program)
    return true
  }
}

/** Expressions over claims and over users may have the same text. */
export function programKey(variables: ReadonlyMap<string, CelType>, text: string): string {
  return `${variables === userVariables ? 'user' : 'claims'} ${text}`
}

/** Whether an expression reads a claim, outside of string literals. */
function usesClaim(expression: string, claim: string): boolean {
  const code = expression.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""')
  return new RegExp(`\\bclaims\\s*\\.\\s*\\??\\s*${claim}\\b`).test(code)
}

function domainPrefixedProblems(key: string, path: string): FieldError[] {
  if (key === '') return [required(path)]
  const slash = key.indexOf('/')
  if (slash < 1 || slash === key.length - 1)
    return [invalid(path, key, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  const host = key.slice(0, slash)
  const wrong = isDns1123Subdomain(host).map((text) => invalid(path, host, text))
  if (wrong.length > 0) return wrong
  if (!/^\/?[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(key.slice(slash + 1)))
    return [invalid(path, key.slice(slash + 1), 'Invalid path')]
  return []
}
