/** Tokens of browsers, which can give a WebSocket no header but its subprotocols. Upstream: `request/websocket`. */
import { isUtf8 } from 'node:buffer'

const PREFIX = 'base64url.bearer.authorization.k8s.io.'

type Headers = Readonly<Record<string, string>>

/** What is offered in `Sec-WebSocket-Protocol`, without tokens: they concern nobody behind the one who asks who it is. */
export function offeredProtocols(headers: Headers): readonly string[] {
  return offered(headers).filter((protocol) => !protocol.startsWith(PREFIX))
}

/**
 * The token among the subprotocols of a WebSocket's handshake. 'wrong': two of them, one that is no text, or one without
 * another protocol that could be agreed on. Undefined: none.
 */
export function webSocketToken(headers: Headers): { readonly token: string } | 'wrong' | undefined {
  if (headers['upgrade']?.toLowerCase() !== 'websocket') return undefined
  const protocols = offered(headers)
  const shown = protocols.filter((protocol) => protocol.startsWith(PREFIX))
  if (shown.length === 0) return undefined
  if (shown.length > 1) return 'wrong'
  const encoded = shown[0]!.slice(PREFIX.length)
  if (!/^[\w-]*$/.test(encoded) || encoded.length % 4 === 1) return 'wrong'
  const bytes = Buffer.from(encoded, 'base64url')
  if (bytes.length === 0) return undefined
  return isUtf8(bytes) && protocols.length > 1 ? { token: bytes.toString() } : 'wrong'
}

function offered(headers: Headers): readonly string[] {
  const text = headers['sec-websocket-protocol'] ?? ''
  return text === '' ? [] : text.split(',').map((each) => each.trim())
}
