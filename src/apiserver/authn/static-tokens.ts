/** Tokens from a file, as kube-apiserver's `--token-auth-file`: lines of `token,user,uid[,"group1,group2"]`. */
import { createHash } from 'node:crypto'
import type { UserInfo } from '../contract.ts'
import type { PlainTokenSource } from './bearer.ts'

/** @throws Error for a line with fewer than three columns */
export function staticTokens(text: string): PlainTokenSource {
  // By hash: how long a look-up takes says nothing about the tokens.
  const users = new Map<string, UserInfo>()
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [token = '', name = '', uid, groups = ''] = columns(line)
    if (uid === undefined)
      throw new Error(
        `token file must have at least 3 columns (token, user name, user uid), found fewer in line ${i + 1}`,
      )
    if (token === '') continue
    users.set(hash(token), {
      name,
      ...(uid !== '' && { uid }),
      groups: groups === '' ? [] : groups.split(','),
    })
  }
  return {
    check(token) {
      const user = users.get(hash(token))
      return user === undefined ? { problem: '' } : { user }
    },
  }
}

const hash = (token: string): string => createHash('sha256').update(token).digest('base64')

/** Fields of a line of comma-separated values; quotes hold commas. */
function columns(line: string): string[] {
  const out: string[] = []
  for (const [, quoted, plain = ''] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g))
    out.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'))
  return out
}
