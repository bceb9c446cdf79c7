/** Creates pods in a cluster as fast as it lets: COUNT of them, so many requests at once. The kubeconfig comes on standard input. */
import { text } from 'node:stream/consumers'
import { HttpsClient } from '../src/client/https.ts'
import { parseKubeconfig } from '../src/client/kubeconfig.ts'
import { resources } from '../src/client/resources.ts'

const [count, atOnce] = process.argv.slice(2).map(Number) as [number, number]
const client = new HttpsClient(parseKubeconfig(await text(process.stdin)))
let next = 0
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    while (next < count) {
      const name = `h-${next++}`
      const spec = { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'bench:1' }] }
      await client.create(
        resources.pods,
        { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec },
        { namespace: 'default' },
      )
    }
  }),
)
await client.close()
