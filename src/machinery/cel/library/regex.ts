/** Finding with regular expressions. */
import type { Context } from '../context.ts'
import type { Overload } from '../overload.ts'
import { overload } from '../overload.ts'
import { compileRegex } from '../regex.ts'
import type { Int } from '../values.ts'
import { ArrayList, Failure } from '../values.ts'

function find(c: Context, text: string, pattern: string): unknown {
  const regex = compileRegex(pattern, c)
  return regex instanceof Failure ? new Failure(`Illegal regex: ${regex.message}`) : regex.find(c, text)
}

function findAll(c: Context, text: string, pattern: string, limit: Int = -1): unknown {
  const regex = compileRegex(pattern, c)
  if (regex instanceof Failure) return new Failure(`Illegal regex: ${regex.message}`)
  return new ArrayList(regex.findAll(c, text, Number(limit)))
}

export const REGEX: readonly Overload[] = [
  overload('find', 'string_find_string', 'string.(string): string', find),
  overload('findAll', 'string_find_all_string', 'string.(string): list(string)', findAll),
  overload('findAll', 'string_find_all_string_int', 'string.(string, int): list(string)', findAll),
]
