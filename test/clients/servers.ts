/** The servers that clients are tried on: the embedded one in a process of its own, and the real one as the control. */
import type { ChildProcess } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startControlPlane, type ControlPlaneOptions } from '../support/control-plane.ts'
import { findControlPlane } from '../support/kubernetes.ts'
import { Processes } from '../support/processes.ts'
import { end, Tenantry } from '../support/tenantry.ts'

const bin = join(import.meta.dirname, '../../bin/tenantry.js')

export interface Server extends AsyncDisposable {
  /** File with the admin's kubeconfig. */
  readonly kubeconfig: string
  /** A directory for what belongs to the test; removed at the end. */
  readonly dir: string
  /** Whether its pods have logs. */
  readonly hasLogs: boolean
  /** Kills the API server and starts it again: same address, same state. */
  restart(): Promise<void>
}

/** `tenantry cluster` with these further words. */
export async function embeddedServer(words = ''): Promise<Server> {
  const cli = new Tenantry()
  const kubeconfig = join(cli.home, 'kubeconfig')
  const command = `cluster --data-dir ${join(cli.home, 'data')} --write-kubeconfig ${kubeconfig} ${words}`.trim()
  let child: ChildProcess
  try {
    ;({ child } = await cli.start(command))
  } catch (error) {
    cli[Symbol.dispose]()
    throw error
  }
  return {
    kubeconfig,
    dir: cli.home,
    hasLogs: true,
    async restart() {
      await end(child, 'SIGKILL')
      ;({ child } = await cli.start(command))
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await end(child, 'SIGTERM')
      cli[Symbol.dispose]()
    },
  }
}

/** etcd, kube-apiserver and, unless said otherwise, kube-controller-manager and kube-scheduler. No nodes. */
export async function realServer(options: Pick<ControlPlaneOptions, 'apiserver' | 'frontProxy'> = {}): Promise<Server> {
  const plane = await startControlPlane({ programs: findControlPlane()!, ...options })
  const kubeconfig = join(plane.dir, 'admin.kubeconfig')
  writeFileSync(kubeconfig, plane.kubeconfig, { mode: 0o600 })
  return {
    kubeconfig,
    dir: plane.dir,
    hasLogs: false,
    restart: plane.restart,
    async [Symbol.asyncDispose]() {
      await plane[Symbol.asyncDispose]()
      rmSync(plane.dir, { recursive: true, force: true })
    },
  }
}

/** The same with simulated nodes, which a process of their own joins to it. */
export async function realServerWithNodes(): Promise<Server> {
  const server = await realServer({ frontProxy: true })
  const processes = new Processes()
  const words = [bin, 'nodes', '--kubeconfig', server.kubeconfig, '--nodes', '3']
  processes.start('nodes', process.execPath, words, join(server.dir, 'nodes.log'))
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await processes[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}
