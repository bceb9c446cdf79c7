/** Prometheus' text format 0.0.4, written as its Go library writes it. */

/** A number as Go's shortest form has it: `1e-05`, `2.5`, `1e+06`, `+Inf`. */
export function goFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return '0'
  const magnitude = Math.abs(value)
  const [digits = '', exponent = '0'] = magnitude.toExponential().split('e')
  const power = Number(exponent)
  const sign = value < 0 ? '-' : ''
  if (power >= -4 && power < 6) return sign + plain(digits, power)
  return `${sign}${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

/** Digits with the point moved: no exponent of JavaScript's own comes in. */
function plain(digits: string, power: number): string {
  const bare = digits.replace('.', '')
  if (power < 0) return `0.${'0'.repeat(-power - 1)}${bare}`
  if (bare.length <= power + 1) return bare.padEnd(power + 1, '0')
  return `${bare.slice(0, power + 1)}.${bare.slice(power + 1)}`
}

/** The two lines before a family's samples. */
export function head(name: string, help: string, type: string): string {
  const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return `# HELP ${name} ${text}\n# TYPE ${name} ${type}\n`
}

/** `a="1",b="2"` */
export function labelText(names: readonly string[], values: readonly string[]): string {
  let text = ''
  for (const [i, name] of names.entries()) text += `${i === 0 ? '' : ','}${name}="${escaped(values[i]!)}"`
  return text
}

export function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`
}

function escaped(value: string): string {
  if (!/["\\\n]/.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
