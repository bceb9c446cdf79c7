/** Lists of test names, one a line, as files that are kept. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KUBERNETES_VERSION } from '../support/kubernetes.ts'

/** The lists that are kept beside this file. */
export const lists = {
  /** Tests that need an API server and controllers, but no node. */
  classA: join(import.meta.dirname, 'class-a.txt'),
  /** Tests that need nodes whose pods only report a status, as simulated ones do. */
  classB: join(import.meta.dirname, 'class-b.txt'),
  /** Tests that passed and must not stop to. */
  knownGreen: join(import.meta.dirname, 'known-green.txt'),
  /** The same with simulated nodes. */
  knownGreenNodes: join(import.meta.dirname, 'known-green-nodes.txt'),
  /** Tests of admission webhooks, whose server runs beside the cluster. All of them pass. */
  webhooks: join(import.meta.dirname, 'webhooks.txt'),
  /** Tests that take minutes on any server: left out unless they are asked for. */
  slow: join(import.meta.dirname, 'slow.txt'),
}

/**
 * The names of a list. Empty lines and those that begin with `#` are none.
 * @throws Error when its first line tells another version of Kubernetes: names change between releases
 */
export function parseList(text: string, version = KUBERNETES_VERSION): string[] {
  const of = /^# Kubernetes (v[^\s:]+)/.exec(text)?.[1]
  if (of !== undefined && of !== version) throw new Error(`the list is of Kubernetes ${of}, the suite of ${version}`)
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

export function readList(file: string): string[] {
  try {
    return parseList(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** A list as it is kept: sorted, every name once. */
export function formatList(names: Iterable<string>, heading: string): string {
  return `# Kubernetes ${KUBERNETES_VERSION}: ${heading}\n${[...new Set(names)].toSorted().join('\n')}\n`
}

/** The value of ginkgo's `--focus` that selects exactly these tests. */
export function focusOf(names: readonly string[]): string {
  return `(${names.map((name) => name.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|')})$`
}
