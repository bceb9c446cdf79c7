/**
 * The URL of one of the program's own files. Sources lie in folders, the published program is a few large files in
 * `dist`: a path relative to the asking file means another one there.
 *
 * @param from the asking file's `import.meta.url`
 * @param name path below `src` or `dist`, without its ending: `cli/main`
 */
export function ownFile(from: string, name: string): URL {
  const folder = Math.max(from.lastIndexOf('/src/') + 5, from.lastIndexOf('/dist/') + 6)
  return new URL(`${from.slice(0, folder)}${name}${from.endsWith('.ts') ? '.ts' : '.js'}`)
}
