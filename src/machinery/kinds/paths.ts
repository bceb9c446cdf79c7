/** File paths in specs. */
import { invalid } from '../field.ts'
import type { Errors } from './checks.ts'

/** No element may be `..`. */
export function noBacksteps(target: string, path: string, out: Errors): void {
  if (target.split('/').includes('..')) out.push(invalid(path, target, "must not contain '..'"))
}

/** Relative and without `..`. */
export function relativePath(target: string, path: string, out: Errors): void {
  if (target.startsWith('/')) out.push(invalid(path, target, 'must be a relative path'))
  noBacksteps(target, path, out)
}

/** Relative, without `..`, and not beginning with two dots at all: those names are the kubelet's. */
export function unreservedPath(target: string, path: string, out: Errors): void {
  relativePath(target, path, out)
  if (target.startsWith('..') && !target.startsWith('../')) out.push(invalid(path, target, "must not start with '..'"))
}
