/**
 * Storage version migration: writes every object of a resource anew, so that it is stored in the version of today. One
 * migration of a resource runs at a time; with a successful one the CustomResourceDefinition forgets its old versions.
 */
import type { Resource } from '../../client/contract.ts'
import { resources } from '../../client/resources.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { StatusError, isReason } from '../../machinery/status.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { parseTime, timestamp } from '../meta.ts'
import { workloads } from '../resources.ts'
import type { Migration, Progress } from './status.ts'
import { byAge, isOver, isTrue, runningMessage, withStatus } from './status.ts'

const RUNNER = 'migration-runner-controller'
const MIGRATOR = 'storage-version-migrator-controller'
/** Milliseconds that a resource may take to appear in discovery, and how often it is looked for. */
const PATIENCE = 60_000
const AGAIN = 2_000
const PAGE = 500
const VERBS = ['update', 'patch', 'list']
const RETRIABLE: ReadonlySet<string> = new Set([
  'ServerTimeout',
  'TooManyRequests',
  'ServiceUnavailable',
  'InternalError',
  'Timeout',
])

interface Served extends Resource {
  readonly verbs: readonly string[]
}

interface Definition extends KubeObject {
  spec: { versions: { name: string; storage: boolean }[] }
  status?: { conditions?: { type: string; observedGeneration?: number }[] }
}

const keyOf = ({ spec }: Migration): string => `${spec.resource?.group ?? ''}/${spec.resource?.resource ?? ''}`

/** Keys are `<group>/<resource>`. */
export function storageVersionMigrator(context: ControllerContext): Controller {
  const { client } = context
  const migrations = client.informer<Migration>(workloads.storageversionmigrations)
  const now = (): string => timestamp(context.now())

  const save = (migration: Migration): Promise<Migration> =>
    client.update(workloads.storageversionmigrations, migration, { subresource: 'status' })

  /** Tells the definition of a custom resource what becomes of its stored versions. */
  async function mark(
    migration: Migration,
    say: (definition: Definition) => { running: boolean; reason: string; message: string; storedVersions?: string[] },
  ): Promise<void> {
    const { group = '', resource = '' } = migration.spec.resource ?? {}
    if (group === '') return
    const name = `${resource}.${group}`
    let definition: Definition
    try {
      definition = await client.get<Definition>(resources.customresourcedefinitions, name)
    } catch (error) {
      if (isReason(error, 'NotFound')) return
      throw error
    }
    const { running, reason, message, storedVersions } = say(definition)
    const condition = {
      type: 'StorageMigrating',
      status: running ? 'True' : 'False',
      lastTransitionTime: now(),
      reason,
      message,
      observedGeneration: definition.metadata.generation,
    }
    const body = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name, resourceVersion: definition.metadata.resourceVersion },
      status: { conditions: [condition], ...(storedVersions === undefined ? {} : { storedVersions }) },
    }
    const query = { subresource: 'status', fieldManager: RUNNER }
    await client.patch(resources.customresourcedefinitions, name, { type: 'apply', body, force: true }, query)
  }

  async function finish(migration: Migration): Promise<void> {
    const succeeded = isTrue(migration, 'Succeeded')
    await mark(migration, (definition) => {
      if (!succeeded) return { running: false, reason: 'MigrationFailed', message: 'The migration has failed' }
      const condition = definition.status?.conditions?.find(({ type }) => type === 'StorageMigrating')
      const same = condition?.observedGeneration === definition.metadata.generation
      const what = same
        ? 'and the stored versions have been updated'
        : 'but the stored versions have not been updated due to a generation mismatch'
      const stored = definition.spec.versions.filter(({ storage }) => storage).map(({ name }) => name)
      const said = { running: false, reason: 'MigrationSucceeded', message: `The migration has succeeded ${what}` }
      return same ? { ...said, storedVersions: stored } : said
    })
    await save(withStatus(migration, 'Running', 'False', 'MigrationCompleted', 'Migration completed', now()))
  }

  async function begin(migration: Migration): Promise<void> {
    await mark(migration, () => ({
      running: true,
      reason: 'MigrationRunning',
      message: `Migration ${migration.metadata.name} is running`,
    }))
    await save(withStatus(migration, 'Running', 'True', 'MigrationRunning', runningMessage(), now()))
  }

  async function fail(migration: Migration, why: string): Promise<void> {
    const message = `migration encountered unhandled error: ${why}`
    await save(withStatus(migration, 'Failed', 'True', 'StorageVersionMigrationFailed', message, now()))
  }

  /** The resource as discovery has it; undefined when there is none. */
  async function find({ spec }: Migration): Promise<Served | undefined> {
    const { group = '', resource = '' } = spec.resource ?? {}
    const read = async <T>(path: string): Promise<T | undefined> => {
      try {
        return JSON.parse(await client.raw('GET', path, undefined, context.signal)) as T
      } catch (error) {
        if (error instanceof StatusError && error.code === 404) return undefined
        throw error
      }
    }
    let versions = ['v1']
    if (group !== '') {
      type Group = { versions: { version: string }[]; preferredVersion: { version: string } }
      const found = await read<Group>(`/apis/${encodeURIComponent(group)}`)
      if (found === undefined) return undefined
      const preferred = found.preferredVersion.version
      versions = [preferred, ...found.versions.map(({ version }) => version).filter((one) => one !== preferred)]
    }
    for (const version of versions) {
      type List = { resources: { name: string; kind: string; namespaced: boolean; verbs: string[] }[] }
      const list = await read<List>(group === '' ? `/api/${version}` : `/apis/${group}/${version}`)
      const one = list?.resources.find(({ name }) => name === resource)
      if (one === undefined) continue
      return { group, version, resource, kind: one.kind, namespaced: one.namespaced, verbs: one.verbs }
    }
    return undefined
  }

  async function run(migration: Migration): Promise<void> {
    const served = await find(migration)
    if (served === undefined) {
      const age = context.now() - parseTime(migration.metadata.creationTimestamp)
      if (age < PATIENCE) context.enqueue(keyOf(migration), AGAIN)
      else await fail(migration, 'resource does not exist in discovery')
      return
    }
    if (!VERBS.every((verb) => served.verbs.includes(verb))) {
      const gvr = `${served.group}/${served.version}, Resource=${served.resource}`
      await fail(
        migration,
        `resource ${JSON.stringify(gvr)} does not support discovery operations: [${VERBS.join(' ')}]`,
      )
      return
    }
    const until = migration.status?.resourceVersion ?? ''
    if (until !== '') return migrate(migration, served, Number(until))
    const { metadata } = await client.list(served, { limit: 1 })
    await save({ ...migration, status: { ...migration.status, resourceVersion: metadata.resourceVersion } })
  }

  /** What was written after `until` is stored in the version of today already. */
  async function migrate(migration: Migration, served: Served, until: number): Promise<void> {
    const candidates: KubeObject[] = []
    let total = 0
    let next: string | undefined
    do {
      const page: Awaited<ReturnType<typeof client.list>> = await client.list(served, {
        limit: PAGE,
        ...(next === undefined ? {} : { continue: next }),
      })
      total += page.items.length
      for (const item of page.items) if (Number(item.metadata.resourceVersion) <= until) candidates.push(item)
      next = page.metadata.continue
    } while (next !== undefined)
    const progress = { left: candidates.length, total }
    for (const { apiVersion, kind, metadata } of candidates) {
      context.signal.throwIfAborted()
      const body = { apiVersion, kind, metadata: { resourceVersion: metadata.resourceVersion } }
      const where = metadata.namespace === undefined ? {} : { namespace: metadata.namespace }
      try {
        await client.patch(served, metadata.name!, { type: 'merge', body }, { ...where, fieldManager: MIGRATOR })
      } catch (error) {
        if (!isReason(error, 'Conflict') && !isReason(error, 'NotFound')) return stopped(migration, progress, error)
      }
      progress.left--
    }
    const running = withStatus(migration, 'Running', 'True', 'MigrationRunning', runningMessage(progress), now())
    const reason = 'StorageVersionMigrationSucceeded'
    await save(withStatus(running, 'Succeeded', 'True', reason, 'Migration completed', now()))
  }

  /** @throws the error when it may pass */
  async function stopped(migration: Migration, progress: Progress, error: unknown): Promise<void> {
    const why = error instanceof Error ? error.message : String(error)
    const passing = error instanceof StatusError && RETRIABLE.has(error.reason)
    const text = runningMessage(progress, passing ? why : undefined)
    const running = withStatus(migration, 'Running', 'True', 'MigrationRunning', text, now())
    if (passing) {
      await save(running)
      throw error
    }
    const { left, total } = progress
    const message = `${left}/${total} not yet migrated. migration encountered unhandled error: ${why}`
    await save(withStatus(running, 'Failed', 'True', 'StorageVersionMigrationFailed', message, now()))
  }

  return {
    name: 'storage-version-migrator',
    start() {
      migrations.onEvent(({ object }) => context.enqueue(keyOf(object)))
    },
    async reconcile(key) {
      if (!migrations.synced) await migrations.ready()
      const all = migrations.list().filter((migration) => keyOf(migration) === key)
      for (const migration of all) if (isOver(migration) && isTrue(migration, 'Running')) await finish(migration)
      const open = all.filter((migration) => !isOver(migration))
      const running = open.find((migration) => isTrue(migration, 'Running'))
      if (running !== undefined) return run(running)
      const [oldest] = open.toSorted(byAge)
      if (oldest !== undefined) await begin(oldest)
    },
  }
}
