/** Results on standard output: a table for people, JSON or YAML for programs. Progress goes to standard error. */
import { dump } from 'js-yaml'

/** Columns padded to their widest cell, three spaces between them, as kubectl does. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  return (
    all
      .map((row) =>
        row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!))).join('   '),
      )
      .join('\n') + '\n'
  )
}

/** Prints a value in the asked format; `asTable` is called for tables only. */
export function print(format: string | undefined, value: unknown, asTable: () => string): void {
  if (format === 'json') process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
  else if (format === 'yaml') process.stdout.write(dump(value, { noRefs: true, lineWidth: -1 }))
  else process.stdout.write(asTable())
}

/** A line for people, on standard error. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
