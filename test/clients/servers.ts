/** The servers that clients are tried on: the embedded one in a process of its own, and the real one as the control. */
import type { ChildProcess } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startControlPlane, type ControlPlaneOptions } from '../support/control-plane.ts'
import { findControlPlane } from '../support/kubernetes.ts'
import { end, Tenantry } from '../support/tenantry.ts'

export interface Server extends AsyncDisposable {
  /** File with the admin's kubeconfig. */
  readonly kubeconfig: string
  /** A directory for what belongs to the test; removed at the end. */
  readonly dir: string
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
    restart: plane.restart,
    async [Symbol.asyncDispose]() {
      await plane[Symbol.asyncDispose]()
      rmSync(plane.dir, { recursive: true, force: true })
    },
  }
}
