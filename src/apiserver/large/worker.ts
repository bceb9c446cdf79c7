/** The helper thread for objects of many members: one job after the other. */
import { parentPort } from 'node:worker_threads'
import { StatusError } from '../../machinery/status.ts'
import type { JobName, Jobs, Reply, Request } from './contract.ts'
import { jobs } from './jobs.ts'

async function answer({ id, job, input }: Request): Promise<Reply> {
  try {
    const work = jobs[job] as (given: typeof input) => Jobs[JobName]['output'] | Promise<Jobs[JobName]['output']>
    return { id, output: await work(input) }
  } catch (error) {
    if (error instanceof StatusError) return { id, status: error.status }
    return { id, failure: String((error as Error).stack ?? error) }
  }
}

parentPort!.on('message', (request: Request) => void answer(request).then((reply) => parentPort!.postMessage(reply)))
