/** The Deployment controller: moves pods from one template to the next through ReplicaSets. */
import type { Informer } from '../../client/contract.ts'
import { resources } from '../../client/resources.ts'
import { isEverything, labelSelectorOf, matchesLabels } from '../../machinery/selector/labels.ts'
import { isReason } from '../../machinery/status.ts'
import { claim } from '../claim.ts'
import { findCondition, withCondition } from '../conditions.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { annotation, controllerOf, controllerReference, keyOf, sameValue, splitKey } from '../meta.ts'
import type { Deployment, DeploymentStatus, Pod, PodTemplate, ReplicaSet } from '../objects.ts'
import { BY_CONTROLLER, indexPods, isTerminal } from '../pods.ts'
import { isTerminating } from '../problems.ts'
import { createRecorder, type EventRecorder } from '../recorder.ts'
import { indexSets, ORPHAN_SETS, SETS_BY_CONTROLLER } from '../replicaset/controller.ts'
import { annotationsOf, revisionAnnotations, sizeAnnotations } from './annotations.ts'
import { podTemplateHash } from './hash.ts'
import {
  activeOrLatest,
  byAge,
  DESIRED_REPLICAS,
  desiredReplicas,
  expendableSets,
  HASH_LABEL,
  isRolling,
  isSaturated,
  maxRevision,
  newSetReplicas,
  proportionalScale,
  replicasOf,
  REVISION,
  shrinkOldSets,
} from './maths.ts'
import {
  condition,
  countStatus,
  deadlineIn,
  isComplete,
  progressDeadline,
  PROGRESSING,
  rolloutStatus,
  type Sets,
} from './status.ts'

const NAME_LIMIT = 253

export function deploymentController(context: ControllerContext): Controller {
  return new DeploymentController(context)
}

class DeploymentController implements Controller {
  readonly name = 'deployment'
  readonly #context: ControllerContext
  readonly #deployments: Informer<Deployment>
  readonly #sets: Informer<ReplicaSet>
  readonly #pods: Informer<Pod>
  readonly #recorder: EventRecorder

  constructor(context: ControllerContext) {
    this.#context = context
    this.#deployments = context.client.informer<Deployment>(resources.deployments)
    this.#sets = context.client.informer<ReplicaSet>(resources.replicasets)
    this.#pods = context.client.informer<Pod>(resources.pods)
    this.#recorder = createRecorder(context, 'deployment-controller', { apiVersion: 'apps/v1', kind: 'Deployment' })
  }

  start(): void {
    indexSets(this.#sets)
    indexPods(this.#pods)
    this.#deployments.onEvent(({ type, object }) => {
      if (type !== 'delete') this.#context.enqueue(keyOf(object))
    })
    this.#sets.onEvent((event) => {
      this.#setChanged(event.object)
      if (event.type === 'update' && controllerOf(event.old)?.uid !== controllerOf(event.object)?.uid) {
        this.#setChanged(event.old)
      }
    })
    // Recreate waits for the old pods to be gone.
    this.#pods.onEvent(({ type, object }) => {
      if (type !== 'delete') return
      const reference = controllerOf(object)
      if (reference?.kind !== 'ReplicaSet') return
      const set = this.#sets.get(object.metadata.namespace!, reference.name)
      const deployment = set?.metadata.uid === reference.uid ? this.#ownerOf(set) : undefined
      if (deployment !== undefined && !isRolling(deployment)) this.#context.enqueue(keyOf(deployment))
    })
  }

  #setChanged(set: ReplicaSet): void {
    if (controllerOf(set) !== undefined) {
      const owner = this.#ownerOf(set)
      if (owner !== undefined) this.#context.enqueue(keyOf(owner))
      return
    }
    for (const deployment of this.#deployments.list(set.metadata.namespace!)) {
      const selector = labelSelectorOf(deployment.spec.selector)
      if (!isEverything(selector) && matchesLabels(selector, set.metadata.labels)) {
        this.#context.enqueue(keyOf(deployment))
      }
    }
  }

  #ownerOf(set: ReplicaSet): Deployment | undefined {
    const reference = controllerOf(set)
    if (reference?.kind !== 'Deployment' || !reference.apiVersion.startsWith('apps/')) return undefined
    const deployment = this.#deployments.get(set.metadata.namespace!, reference.name)
    return deployment?.metadata.uid === reference.uid ? deployment : undefined
  }

  async reconcile(key: string): Promise<void> {
    if (!this.#deployments.synced) await this.#deployments.ready()
    if (!this.#sets.synced) await this.#sets.ready()
    if (!this.#pods.synced) await this.#pods.ready()
    const { namespace, name } = splitKey(key)
    const deployment = this.#deployments.get(namespace, name)
    if (deployment === undefined) return
    const selector = labelSelectorOf(deployment.spec.selector)
    if (isEverything(selector)) {
      this.#recorder.event(
        deployment,
        'Warning',
        'SelectingAll',
        'This deployment is selecting all pods. A non-empty selector is required.',
      )
      const observedGeneration = deployment.metadata.generation ?? 0
      await this.#writeStatus(deployment, { ...deployment.status, observedGeneration })
      return
    }
    const sets = await claim(
      {
        client: this.#context.client,
        owner: deployment,
        ownerResource: resources.deployments,
        selector,
        reference: controllerReference('apps/v1', 'Deployment', deployment),
        resource: resources.replicasets,
      },
      [
        ...this.#sets.byIndex(SETS_BY_CONTROLLER, deployment.metadata.uid!),
        ...this.#sets.byIndex(ORPHAN_SETS, namespace),
      ],
    )
    try {
      await new Rollout(this.#context, this.#recorder, this.#pods, deployment, sets).run()
    } catch (error) {
      // Deleted meanwhile: nothing is left to do.
      const what = isReason(error, 'NotFound') ? error.status.details : undefined
      if (what?.kind !== 'deployments' || what.name !== name) throw error
    }
  }

  async #writeStatus(deployment: Deployment, status: DeploymentStatus): Promise<void> {
    if (sameValue(status, deployment.status)) return
    const { namespace } = deployment.metadata
    await this.#context.client.update(
      resources.deployments,
      { ...deployment, status },
      { namespace: namespace!, subresource: 'status' },
    )
  }
}

/** One turn of one Deployment. */
class Rollout {
  readonly #context: ControllerContext
  readonly #recorder: EventRecorder
  readonly #pods: Informer<Pod>
  readonly #namespace: string
  #deployment: Deployment
  #newSet: ReplicaSet | undefined
  #old: ReplicaSet[]

  constructor(
    context: ControllerContext,
    recorder: EventRecorder,
    pods: Informer<Pod>,
    deployment: Deployment,
    sets: readonly ReplicaSet[],
  ) {
    this.#context = context
    this.#recorder = recorder
    this.#pods = pods
    this.#deployment = deployment
    this.#namespace = deployment.metadata.namespace!
    this.#newSet = sets.toSorted(byAge).find((set) => sameTemplate(set.spec.template, deployment.spec.template))
    this.#old = sets.filter((set) => set !== this.#newSet)
  }

  async run(): Promise<void> {
    const deployment = this.#deployment
    if (deployment.metadata.deletionTimestamp !== undefined) {
      await this.#write(countStatus(deployment, this.#all(), this.#context.now()))
      return
    }
    await this.#checkPaused()
    if (deployment.spec.paused === true || (await this.#resized())) {
      await this.#syncRevision()
      await this.#scaleAll()
      if (deployment.spec.paused === true) await this.#cleanUp()
      await this.#write(countStatus(this.#deployment, this.#all(), this.#context.now()))
      return
    }
    if (isRolling(deployment)) await this.#rolling()
    else await this.#recreate()
  }

  async #rolling(): Promise<void> {
    const newSet = await this.#ensureNewSet()
    const desired = desiredReplicas(this.#deployment)
    if (replicasOf(newSet) !== desired) {
      const all = [...this.#old, newSet]
      const size = replicasOf(newSet) > desired ? desired : newSetReplicas(this.#deployment, all, replicasOf(newSet))
      if (size !== replicasOf(newSet)) {
        await this.#scale(newSet, size)
        return this.#writeRollout()
      }
    }
    const steps = shrinkOldSets(this.#deployment, newSet, this.#old)
    for (const { set, replicas } of steps) await this.#scale(set, replicas)
    if (steps.length === 0 && isComplete(this.#deployment, this.#deployment.status)) await this.#cleanUp()
    return this.#writeRollout()
  }

  async #recreate(): Promise<void> {
    await this.#syncRevision()
    const running = this.#old.filter((set) => replicasOf(set) > 0)
    for (const set of running) await this.#scale(set, 0)
    if (running.length > 0 || this.#oldPodsRun()) return this.#writeRollout()
    const newSet = await this.#ensureNewSet()
    if (replicasOf(newSet) !== desiredReplicas(this.#deployment)) {
      await this.#scale(newSet, desiredReplicas(this.#deployment))
    }
    if (isComplete(this.#deployment, this.#deployment.status)) await this.#cleanUp()
    return this.#writeRollout()
  }

  #oldPodsRun(): boolean {
    return this.#old.some(
      (set) =>
        (set.status?.replicas ?? 0) > 0 ||
        this.#pods.byIndex(BY_CONTROLLER, set.metadata.uid!).some((pod) => !isTerminal(pod)),
    )
  }

  /** A pause stops the progress deadline's clock. */
  async #checkPaused(): Promise<void> {
    const deployment = this.#deployment
    if (progressDeadline(deployment) === undefined) return
    const current = findCondition(deployment.status?.conditions, PROGRESSING)
    if (current?.reason === 'ProgressDeadlineExceeded') return
    const noted = current?.reason === 'DeploymentPaused'
    const paused = deployment.spec.paused === true
    if (paused === noted) return
    const [reason, message] = paused
      ? (['DeploymentPaused', 'Deployment is paused'] as const)
      : (['DeploymentResumed', 'Deployment is resumed'] as const)
    await this.#progress('Unknown', reason, message)
  }

  /** Whether the Deployment's size has changed since its sets were last scaled. */
  async #resized(): Promise<boolean> {
    await this.#syncRevision()
    const desired = String(desiredReplicas(this.#deployment))
    return this.#list().some((set) => {
      if (replicasOf(set) === 0) return false
      const noted = annotation(set, DESIRED_REPLICAS)
      return noted !== undefined && /^[0-9]{1,9}$/.test(noted) && noted !== desired
    })
  }

  /** Brings the new set, if there is one, and the Deployment to the revision after all old ones'. */
  async #syncRevision(): Promise<void> {
    const set = this.#newSet
    if (set === undefined) return
    const revision = maxRevision(this.#old) + 1n
    const current = annotationsOf(set)
    const annotations = revisionAnnotations(this.#deployment, current, revision)
    const minReadySeconds = this.#deployment.spec.minReadySeconds ?? 0
    if (annotations !== current || (set.spec.minReadySeconds ?? 0) !== minReadySeconds) {
      await this.#updateSet(set, {
        ...set,
        metadata: { ...set.metadata, annotations },
        spec: { ...set.spec, minReadySeconds },
      })
    }
    await this.#setRevision(annotation(this.#newSet!, REVISION) ?? String(revision))
    const known = findCondition(this.#deployment.status?.conditions, PROGRESSING) !== undefined
    if (!known && progressDeadline(this.#deployment) !== undefined) {
      await this.#progress('True', 'FoundNewReplicaSet', `Found new replica set "${set.metadata.name!}"`)
    }
  }

  async #setRevision(revision: string): Promise<void> {
    if (annotation(this.#deployment, REVISION) === revision) return
    const body = { metadata: { annotations: { [REVISION]: revision } } }
    const { name } = this.#deployment.metadata
    // Through the status: there an annotation is no new generation.
    const patched = await this.#context.client.patch<Deployment>(
      resources.deployments,
      name!,
      { type: 'merge', body },
      { namespace: this.#namespace, subresource: 'status' },
    )
    // Only the metadata: this turn works on the spec that it began with.
    this.#deployment = { ...this.#deployment, metadata: { ...patched.metadata, ...this.#generation() } }
  }

  #generation(): { generation?: number } {
    const { generation } = this.#deployment.metadata
    return generation === undefined ? {} : { generation }
  }

  async #ensureNewSet(): Promise<ReplicaSet> {
    await this.#syncRevision()
    return this.#newSet ?? this.#createNewSet()
  }

  async #createNewSet(): Promise<ReplicaSet> {
    const planned = this.#plan()
    const name = planned.metadata.name!
    let made: ReplicaSet
    let fresh = true
    try {
      made = await this.#context.client.create<ReplicaSet>(resources.replicasets, planned, {
        namespace: this.#namespace,
      })
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) {
        await this.#failedToCreate(name, error)
        throw error
      }
      made = await this.#resolveCollision(name, error)
      fresh = false
    }
    this.#newSet = made
    if (fresh && replicasOf(made) > 0) this.#scaled(made, 0, replicasOf(made))
    await this.#setRevision(String(maxRevision(this.#old) + 1n))
    if (fresh && progressDeadline(this.#deployment) !== undefined) {
      await this.#progress('True', 'NewReplicaSetCreated', `Created new replica set "${name}"`)
    }
    return made
  }

  #plan(): ReplicaSet {
    const deployment = this.#deployment
    const { template } = deployment.spec
    const hash = podTemplateHash(template, deployment.status?.collisionCount)
    const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash }
    const { selector } = deployment.spec
    const annotations = revisionAnnotations(deployment, {}, maxRevision(this.#old) + 1n)
    return {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        // The name says which template it is, so that creating it twice is no harm.
        name: `${deployment.metadata.name!.slice(0, NAME_LIMIT - hash.length - 1)}-${hash}`,
        namespace: this.#namespace,
        labels,
        annotations: sizeAnnotations(deployment, annotations),
        ownerReferences: [controllerReference('apps/v1', 'Deployment', deployment)],
      },
      spec: {
        replicas: newSetReplicas(deployment, this.#old, 0),
        minReadySeconds: deployment.spec.minReadySeconds ?? 0,
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    }
  }

  /** The name is taken: by this very set, which the cache does not show yet, or by another template with this hash. */
  async #resolveCollision(name: string, error: unknown): Promise<ReplicaSet> {
    const deployment = this.#deployment
    const found = await this.#context.client.get<ReplicaSet>(resources.replicasets, name, {
      namespace: this.#namespace,
    })
    const owned = controllerOf(found)?.uid === deployment.metadata.uid
    if (owned && sameTemplate(found.spec.template, deployment.spec.template)) return found
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1
    await this.#write({ ...deployment.status, collisionCount })
    throw error
  }

  async #failedToCreate(name: string, error: unknown): Promise<void> {
    if (isTerminating(error)) return
    const why = error instanceof Error ? error.message : String(error)
    const message = `Failed to create new replica set "${name}": ${why}`
    this.#recorder.event(this.#deployment, 'Warning', 'ReplicaSetCreateError', message)
    if (progressDeadline(this.#deployment) === undefined) return
    await this.#progress('False', 'ReplicaSetCreateError', message)
  }

  /** After a change of size, or while paused: all active sets share the change. */
  async #scaleAll(): Promise<void> {
    const deployment = this.#deployment
    const single = activeOrLatest(this.#newSet, this.#old)
    if (single !== undefined) {
      if (replicasOf(single) !== desiredReplicas(deployment)) await this.#scale(single, desiredReplicas(deployment))
      return
    }
    const active = this.#list().filter((set) => replicasOf(set) > 0)
    if (isSaturated(deployment, this.#newSet)) {
      for (const set of active) if (set !== this.#newSet) await this.#scale(set, 0)
      return
    }
    if (!isRolling(deployment)) return
    for (const { set, replicas } of proportionalScale(deployment, active)) await this.#scale(set, replicas)
  }

  /** Writes a set's size and the annotations that belong to it, where they differ. */
  async #scale(set: ReplicaSet, replicas: number): Promise<void> {
    const before = replicasOf(set)
    const current = annotationsOf(set)
    const annotations = sizeAnnotations(this.#deployment, current)
    if (before === replicas && annotations === current) return
    await this.#updateSet(set, {
      ...set,
      metadata: { ...set.metadata, annotations },
      spec: { ...set.spec, replicas },
    })
    if (before !== replicas) this.#scaled(set, before, replicas)
  }

  #scaled(set: ReplicaSet, from: number, to: number): void {
    const direction = from < to ? 'up' : 'down'
    const message = `Scaled ${direction} replica set ${set.metadata.name!} from ${from} to ${to}`
    this.#recorder.event(this.#deployment, 'Normal', 'ScalingReplicaSet', message)
  }

  async #updateSet(set: ReplicaSet, changed: ReplicaSet): Promise<void> {
    const written = await this.#context.client.update<ReplicaSet>(resources.replicasets, changed, {
      namespace: this.#namespace,
    })
    if (set === this.#newSet) this.#newSet = written
    else this.#old = this.#old.map((one) => (one === set ? written : one))
  }

  async #cleanUp(): Promise<void> {
    for (const set of expendableSets(this.#deployment, this.#old)) {
      try {
        await this.#context.client.delete(resources.replicasets, set.metadata.name!, {
          namespace: this.#namespace,
          preconditions: { uid: set.metadata.uid! },
          propagationPolicy: 'Background',
        })
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
    }
  }

  async #writeRollout(): Promise<void> {
    const now = this.#context.now()
    const status = rolloutStatus(this.#deployment, this.#all(), now)
    await this.#write(status)
    const check = deadlineIn(this.#deployment, status, now)
    if (check !== undefined) this.#context.enqueue(keyOf(this.#deployment), check)
  }

  async #progress(status: string, reason: string, message: string): Promise<void> {
    const before = this.#deployment.status ?? {}
    const fresh = condition(PROGRESSING, status, reason, message, this.#context.now())
    await this.#write({ ...before, conditions: withCondition(before.conditions ?? [], fresh) })
  }

  async #write(status: DeploymentStatus): Promise<void> {
    if (sameValue(status, this.#deployment.status ?? {})) return
    const written = await this.#context.client.update<Deployment>(
      resources.deployments,
      { ...this.#deployment, status },
      { namespace: this.#namespace, subresource: 'status' },
    )
    this.#deployment = { ...this.#deployment, status, metadata: { ...written.metadata, ...this.#generation() } }
  }

  #all(): Sets {
    return { newSet: this.#newSet, old: this.#old }
  }

  #list(): ReplicaSet[] {
    return this.#newSet === undefined ? this.#old : [...this.#old, this.#newSet]
  }
}

/** Whether two templates are the same but for the hash label that the controller adds. */
function sameTemplate(a: PodTemplate, b: PodTemplate): boolean {
  return sameValue(withoutHash(a), withoutHash(b))
}

function withoutHash(template: PodTemplate): unknown {
  const labels = Object.entries(template.metadata?.labels ?? {}).filter(([key]) => key !== HASH_LABEL)
  labels.sort(([one], [other]) => (one < other ? -1 : 1))
  return { ...template, metadata: { ...template.metadata, labels } }
}
