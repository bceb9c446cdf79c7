/** Names of fields as CEL can say them: `__dot__`, `__dash__`, `__slash__`, `__underscores__`, `__namespace__`. */

const KEYWORDS: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)
const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/
const WORDS: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
}
const UNWORDS: ReadonlyMap<string, string> = new Map(Object.entries(WORDS).map(([plain, word]) => [word, plain]))

/** The CEL name of a property; undefined when there is none, and the property cannot be seen by rules. */
export function escapeField(name: string): string | undefined {
  if (KEYWORDS.has(name)) return `__${name}__`
  if (PLAIN.test(name) && !name.includes('__')) return name
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return undefined
  return name.replaceAll(/__|[-./]/g, (found) => WORDS[found]!)
}

/** The property that a CEL name stands for. */
export function unescapeField(name: string): string {
  if (!name.includes('__')) return name
  return name.replaceAll(/__[^_]+__/g, (found) => {
    const plain = UNWORDS.get(found)
    if (plain !== undefined) return plain
    return KEYWORDS.has(found.slice(2, -2)) ? found.slice(2, -2) : found
  })
}

/** Whether a rule may say a property so: escaped, or a keyword as it is. */
export function isNameOf(name: string, property: string): boolean {
  const escaped = escapeField(property)
  return escaped !== undefined && (name === escaped || (name === property && KEYWORDS.has(name)))
}
