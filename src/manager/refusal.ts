/** What the host says against a tenant's pod, told of the pod that the tenant knows. */
import type { IncomingMessage } from 'node:http'
import { textUpTo } from '../apiserver/dial/streamed.ts'
import type { ObjectMeta } from '../machinery/object.ts'

/** Bytes of a refusal that are passed on. */
const MOST = 64 * 1024

/** The body of an answer of the host, with the names that the pod has `here` in the place of those `there`. */
export async function refusalText(
  response: IncomingMessage,
  { namespace: hostNamespace = '', name: hostName = '' }: ObjectMeta,
  { namespace = '', name = '' }: ObjectMeta,
): Promise<string> {
  const text = await textUpTo(response, MOST)
  return text
    .replaceAll(`/${hostNamespace}/${hostName}`, () => `/${namespace}/${name}`)
    .replaceAll(hostName, () => name)
}
