/** What a container would do, read from its command. Pure. */
import type { Container, Pod } from '../objects.ts'
import { flagAnnotation, numberAnnotation } from './annotations.ts'

export type Behaviour =
  | { readonly type: 'runs' }
  /** Exits with a code after so many milliseconds. */
  | { readonly type: 'exits'; readonly after: number; readonly code: number }
  | { readonly type: 'unpullable' }

/** Tags that no registry has. */
const MISSING_TAGS: ReadonlySet<string> = new Set(['404', 'invalid', 'non-existent', 'nonexistent', 'does-not-exist'])
const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'ash', 'dash', '/bin/sh', '/bin/bash'])

/**
 * `true`, `false`, `exit N`, `sleep N` and `echo …` do what they do, alone or as a shell's script of such steps;
 * everything else keeps running, but a busybox that is given nothing to do. Init containers that would keep running finish at once instead, because pods wait
 * for them. A sidecar is no such init container.
 */
export function behaviourOf(pod: Pod, container: Container, init: boolean): Behaviour {
  if (flagAnnotation(pod, 'image-pull-error') === true || MISSING_TAGS.has(tagOf(container.image ?? ''))) {
    return { type: 'unpullable' }
  }
  const read = readCommand([...(container.command ?? []), ...(container.args ?? [])])
  if (!init) {
    const seconds = numberAnnotation(pod, 'run-seconds')
    const code = numberAnnotation(pod, 'exit-code')
    if (seconds !== undefined || code !== undefined) {
      const after = seconds === undefined ? (read?.after ?? 0) : seconds * 1000
      return { type: 'exits', after, code: Math.trunc(code ?? read?.code ?? 0) & 0xff }
    }
  }
  if (read !== undefined) return { type: 'exits', ...read }
  if (isIdleShell(container)) return { type: 'exits', after: 0, code: 0 }
  return init && container.restartPolicy !== 'Always' ? { type: 'exits', after: 0, code: 0 } : { type: 'runs' }
}

/** An image whose program is a shell: without a script and without input it ends at once. */
function isIdleShell({ image = '', command = [], args = [], stdin }: Container): boolean {
  return command.length + args.length === 0 && stdin !== true && /(?:^|\/)busybox(?:[:@]|$)/.test(image)
}

/** The tag of an image reference, '' without one. A registry's port is no tag. */
export function tagOf(image: string): string {
  const name = image.split('@', 1)[0]!
  const colon = name.lastIndexOf(':')
  return colon > name.lastIndexOf('/') ? name.slice(colon + 1) : ''
}

interface Exit {
  readonly after: number
  readonly code: number
}

function readCommand(argv: readonly string[]): Exit | undefined {
  const [program, flag, script] = argv
  if (program === undefined) return undefined
  if (SHELLS.has(program)) {
    return argv.length === 3 && flag !== undefined && /^-[a-z]*c$/.test(flag) ? readScript(script!) : undefined
  }
  return readStep([program.replace(/^\/(?:usr\/)?bin\//, ''), ...argv.slice(1)])
}

/** Steps separated by `;`, `&&` or line ends. The exit code is the last step's, or that of an `exit`. */
function readScript(script: string): Exit | undefined {
  if (script.length > 1000) return undefined
  let after = 0
  let code = 0
  for (const part of script.split(/;|&&|\n/)) {
    const words = part.trim().split(/\s+/)
    if (words[0] === '') continue
    const step = readStep(words)
    if (step === undefined || /[|&`$<>]/.test(words[0] === 'echo' ? '' : part)) return undefined
    after += step.after
    code = step.code
    if (words[0] === 'exit') break
  }
  return { after, code }
}

function readStep([program, first, ...more]: readonly string[]): Exit | undefined {
  switch (program) {
    case 'true':
    case ':':
    case 'echo':
      return { after: 0, code: 0 }
    case 'false':
      return { after: 0, code: 1 }
    case 'exit':
      if (first === undefined) return { after: 0, code: 0 }
      return /^[0-9]{1,3}$/.test(first) ? { after: 0, code: Number(first) & 0xff } : undefined
    case 'sleep': {
      const match = /^([0-9]{1,9}(?:\.[0-9]{1,6})?)([smhd]?)$/.exec(first ?? '')
      if (match === null || more.length > 0) return undefined
      const unit = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }[match[2]!]!
      return { after: Number(match[1]) * unit * 1000, code: 0 }
    }
    default:
      return undefined
  }
}
