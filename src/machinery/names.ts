/**
 * Rules for names, with the error texts of `k8s.io/apimachinery/pkg/util/validation` and
 * `pkg/api/validate/content`: clients show and match them.
 *
 * Every check answers the list of what is wrong; an empty list means fine. Lengths are bytes of UTF-8, as upstream
 * counts them. All expressions are linear in their input.
 */

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const ENV_VAR = '[-._a-zA-Z][-._a-zA-Z0-9]*'
const CONFIG_KEY = '[-._a-zA-Z0-9]+'
const PERCENT = '[0-9]+%'
const HTTP_HEADER = '[-A-Za-z0-9]+'

const whole = (pattern: string): RegExp => new RegExp(`^${pattern}$`)
const labelPattern = whole(LABEL)
const subdomainPattern = whole(SUBDOMAIN)
const wildcardPattern = whole(`\\*\\.${SUBDOMAIN}`)
const label1035Pattern = whole(LABEL_1035)
const qualifiedPattern = whole(QUALIFIED)
const labelValuePattern = whole(`(${QUALIFIED})?`)
const envVarPattern = whole(ENV_VAR)
const configKeyPattern = whole(CONFIG_KEY)
const percentPattern = whole(PERCENT)
const httpHeaderPattern = whole(HTTP_HEADER)

const maxCharacters = (max: number): string => `must be no more than ${max} characters`
const maxBytes = (max: number): string => `must be no more than ${max} bytes`
const longer = (value: string, max: number): boolean => Buffer.byteLength(value) > max

function mismatch(text: string, pattern: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${text} (regex used for validation is '${pattern}')`
  return `${text} (e.g. ${examples.map((e) => `'${e}', `).join(' or ')}regex used for validation is '${pattern}')`
}

const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
const QUALIFIED_TEXT =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

function subdomainErrors(value: string, tooLong: string): string[] {
  const out: string[] = []
  if (longer(value, 253)) out.push(tooLong)
  if (!subdomainPattern.test(value)) out.push(mismatch(SUBDOMAIN_TEXT, SUBDOMAIN, 'example.com'))
  return out
}

/** The name of most objects: at most 253 characters. */
export function isDns1123Subdomain(value: string): string[] {
  return subdomainErrors(value, maxCharacters(253))
}

/** The same in the words of upstream's declarative validation (`k8s-long-name`), which count bytes. */
export function isLongName(value: string): string[] {
  return subdomainErrors(value, maxBytes(253))
}

/** As {@link isDns1123Label} in the words of upstream's declarative validation (`k8s-short-name`), which count bytes. */
export function isShortName(value: string): string[] {
  return labelErrors(value, maxBytes(63))
}

/** A subdomain in letters of any case (`k8s-long-name-caseless`). */
export function isDns1123SubdomainOfAnyCase(value: string): string[] {
  const out: string[] = []
  if (longer(value, 253)) out.push(maxBytes(253))
  if (!subdomainPattern.test(value.toLowerCase())) {
    const text =
      "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
    out.push(mismatch(text, SUBDOMAIN, 'Example.com'))
  }
  return out
}

/**
 * A subdomain under `*.` (an Ingress host).
 *
 * @public
 */
export function isWildcardDns1123Subdomain(value: string): string[] {
  const out: string[] = []
  if (longer(value, 253)) out.push(maxCharacters(253))
  if (!wildcardPattern.test(value)) {
    const text =
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
    out.push(mismatch(text, `\\*\\.${SUBDOMAIN}`, '*.example.com'))
  }
  return out
}

/** Namespaces, containers, volumes: at most 63 characters, no dot. */
export function isDns1123Label(value: string): string[] {
  return labelErrors(value, maxCharacters(63))
}

function labelErrors(value: string, tooLong: string): string[] {
  const out: string[] = []
  if (longer(value, 63)) out.push(tooLong)
  if (!labelPattern.test(value)) {
    if (subdomainPattern.test(value)) out.push('must not contain dots')
    else {
      const text =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
      out.push(mismatch(text, LABEL, 'my-name', '123-abc'))
    }
  }
  return out
}

/** Services before RelaxedServiceNameValidation: a label that starts with a letter. */
export function isDns1035Label(value: string): string[] {
  const out: string[] = []
  if (longer(value, 63)) out.push(maxCharacters(63))
  if (!label1035Pattern.test(value)) {
    const text =
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"
    out.push(mismatch(text, LABEL_1035, 'my-name', 'abc-123'))
  }
  return out
}

/** Keys of labels and annotations, finalizers: `[prefix/]name`. */
export function isQualifiedName(value: string): string[] {
  const parts = value.split('/', 3)
  if (parts.length > 2) {
    const text = mismatch(`a valid label key ${QUALIFIED_TEXT}`, QUALIFIED, 'MyName', 'my.name', '123-abc')
    return [`${text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
  }
  const out: string[] = []
  const name = parts.at(-1)!
  if (parts.length === 2) {
    const prefix = parts[0]!
    if (prefix === '') out.push('prefix part must be non-empty')
    else out.push(...subdomainErrors(prefix, maxBytes(253)).map((text) => `prefix part ${text}`))
  }
  if (name === '') out.push('name part must be non-empty')
  else if (longer(name, 63)) out.push(`name part ${maxBytes(63)}`)
  if (!qualifiedPattern.test(name)) {
    out.push(`name part ${mismatch(QUALIFIED_TEXT, QUALIFIED, 'MyName', 'my.name', '123-abc')}`)
  }
  return out
}

/** Values of labels: at most 63 bytes, may be empty. */
export function isLabelValue(value: string): string[] {
  const out: string[] = []
  if (longer(value, 63)) out.push(maxBytes(63))
  if (!labelValuePattern.test(value)) {
    const text =
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    out.push(mismatch(text, `(${QUALIFIED})?`, 'MyValue', 'my_value', '12345'))
  }
  return out
}

function parentDirectory(value: string): string[] {
  if (value === '.') return ["must not be '.'"]
  if (value === '..') return ["must not be '..'"]
  return value.startsWith('..') ? ["must not start with '..'"] : []
}

/** Keys of ConfigMaps and Secrets. */
export function isConfigMapKey(value: string): string[] {
  const out: string[] = []
  if (longer(value, 253)) out.push(maxCharacters(253))
  if (!configKeyPattern.test(value)) {
    const text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    out.push(mismatch(text, CONFIG_KEY, 'key.name', 'KEY_NAME', 'key-name'))
  }
  out.push(...parentDirectory(value))
  return out
}

/**
 * Names of environment variables before RelaxedEnvironmentVariableValidation.
 *
 * @public
 */
export function isEnvVarName(value: string): string[] {
  const out: string[] = []
  if (!envVarPattern.test(value)) {
    const text =
      "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit"
    out.push(mismatch(text, ENV_VAR, 'my.env-name', 'MY_ENV.NAME', 'MyEnvName1'))
  }
  out.push(...parentDirectory(value))
  return out
}

/** Names of environment variables as current servers take them: printable ASCII without `=`. */
export function isRelaxedEnvVarName(value: string): string[] {
  const out: string[] = []
  if (value === '') out.push('environment variable name must be non-empty')
  if (!/^[ -<>-~]*$/.test(value)) {
    out.push("a valid environment variable name must consist only of printable ASCII characters other than '='")
  }
  return out
}

/** IANA service names: names of container and target ports. */
export function isPortName(value: string): string[] {
  const out: string[] = []
  if (longer(value, 15)) out.push(maxCharacters(15))
  if (!/^[-a-z0-9]+$/.test(value)) out.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(value)) out.push('must contain at least one letter (a-z)')
  if (value.includes('--')) out.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) out.push('must not begin or end with a hyphen')
  return out
}

/** 1 to 65535. */
export function isPortNumber(value: number): string[] {
  return isInRange(value, 1, 65535)
}

/** An integer in an inclusive range. */
export function isInRange(value: number, low: number, high: number): string[] {
  return Number.isInteger(value) && value >= low && value <= high
    ? []
    : [`must be between ${low} and ${high}, inclusive`]
}

/** `50%` */
export function isPercent(value: string): string[] {
  if (percentPattern.test(value)) return []
  const text = "a valid percent string must be a numeric string followed by an ending '%'"
  return [mismatch(text, PERCENT, '1%', '93%')]
}

/** A header name (probes). */
export function isHttpHeaderName(value: string): string[] {
  if (httpHeaderPattern.test(value)) return []
  return [mismatch("a valid HTTP header must consist of alphanumeric characters or '-'", HTTP_HEADER, 'X-Header-Name')]
}

/** Names that only have to survive as one path segment (RBAC). With `prefix`, more will be appended. */
export function isPathSegmentName(value: string, prefix = false): string[] {
  if (!prefix && (value === '.' || value === '..')) return [`may not be '${value}'`]
  return ['/', '%'].filter((c) => value.includes(c)).map((c) => `may not contain '${c}'`)
}

/** What a name rule sees of a `generateName`: its last character may be a dash, since more follows. */
export function maskTrailingDash(base: string): string {
  return base.length > 1 && base.endsWith('-') ? `${base.slice(0, -2)}a` : base
}

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 5

/** `length` letters of Kubernetes' alphabet without vowels. `random` gives numbers in [0, 1). */
export function randomSuffix(length: number, random: () => number): string {
  let out = ''
  for (let i = 0; i < length; i++) out += ALPHABET[Math.floor(random() * ALPHABET.length)]!
  return out
}

/** The base, cut to 58 characters, with five random letters. */
export function generateName(base: string, random: () => number): string {
  return base.slice(0, 63 - SUFFIX_LENGTH) + randomSuffix(SUFFIX_LENGTH, random)
}
