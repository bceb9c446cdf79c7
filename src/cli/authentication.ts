/** The authentication options of commands that run a cluster: kube-apiserver's, by the same names. */
import { readFileSync } from 'node:fs'
import type { ClusterOptions } from '../cluster/cluster.ts'
import { text, type Command, type Input } from './command.ts'
import { CliError, exitCodes } from './errors.ts'

export const authenticationOptions: Command['options'] = {
  'authentication-config': {
    type: 'string',
    value: 'FILE',
    description: 'issuers of identity tokens (apiserver.config.k8s.io/v1)',
  },
  'token-auth-file': { type: 'string', value: 'FILE', description: 'fixed tokens: lines of token,user,uid,"groups"' },
}

/** What the options ask for. @throws CliError */
export async function authenticationOf(input: Input): Promise<Pick<ClusterOptions, 'authentication' | 'staticTokens'>> {
  const config = text(input, 'authentication-config')
  const tokens = text(input, 'token-auth-file')
  if (config === undefined && tokens === undefined) return {}
  const [{ readAuthentication }, { staticTokens }, { ISSUER }] = await Promise.all([
    import('../apiserver/authn/oidc/config.ts'),
    import('../apiserver/authn/static-tokens.ts'),
    import('../cluster/cluster.ts'),
  ])
  return {
    ...(config !== undefined && { authentication: read(config, (file) => readAuthentication(file, [ISSUER])) }),
    ...(tokens !== undefined && { staticTokens: read(tokens, staticTokens) }),
  }
}

function read<T>(file: string, parse: (text: string) => T): T {
  try {
    return parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new CliError(`cannot read ${file}: ${(error as Error).message}`, exitCodes.usage)
  }
}
