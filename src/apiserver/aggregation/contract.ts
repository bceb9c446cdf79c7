/** What the HTTP layer asks of aggregation. */
import type { UserInfo } from '../contract.ts'
import type { Reply } from '../http/reply.ts'
import type { RemoteService } from './apiservice.ts'

export interface Aggregation {
  /** The remote group version that a path belongs to. Nothing is looked at while there is none. */
  find(path: string): RemoteService | undefined
  /** Has another server answer. Authorization has been done. */
  proxy(remote: RemoteService, user: UserInfo, reply: Reply): Promise<void>
}
