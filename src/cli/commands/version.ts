import { readFileSync } from 'node:fs'
import { ownFile } from '../../machinery/own-file.ts'
import type { Command } from '../command.ts'
import { outputOption } from '../command.ts'
import { print } from '../output.ts'
import { KUBERNETES_VERSION } from '../../cluster/version.ts'

export const command: Command = {
  name: 'version',
  summary: 'print the version of tenantry and of the Kubernetes API it serves',
  usage: 'version [--output table|json|yaml]',
  options: outputOption,
  words: [0, 0],
  examples: ['tenantry version', 'tenantry version --output json'],
  run(input) {
    const manifest = JSON.parse(
      readFileSync(new URL('../../package.json', ownFile(import.meta.url, 'cli/main')), 'utf8'),
    ) as {
      version: string
    }
    const value = { tenantry: manifest.version, kubernetes: KUBERNETES_VERSION, node: process.version }
    print(
      input.options['output'] as string | undefined,
      value,
      () => `tenantry ${value.tenantry}\nKubernetes API ${value.kubernetes}\nNode ${value.node}\n`,
    )
    return Promise.resolve(0)
  },
}
