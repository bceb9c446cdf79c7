/** Webhooks as they are configured, read once for each stored configuration. */
import type { KubeObject } from '../../../machinery/object.ts'
import type { MatchCondition } from '../../../machinery/policy/conditions.ts'
import type { LabelSelectorObject } from '../../../machinery/selector/labels.ts'
import type { ServedResource } from '../../contract.ts'
import type { Destination } from '../../dial/contract.ts'
import { Configured } from '../match/configured.ts'
import type { Rule } from '../match/rules.ts'
import { matchRules } from '../match/rules.ts'
import { matchesNamespace, matchesObject } from '../match/selectors.ts'
import type { View } from '../match/view.ts'

/** One webhook of a configuration. */
export interface Hook {
  /** Unique in its cluster. */
  readonly id: string
  readonly configuration: string
  readonly name: string
  readonly destination: Destination
  /** PEM. */
  readonly caBundle?: string
  readonly rules: readonly Rule[]
  readonly exact: boolean
  readonly namespaceSelector: LabelSelectorObject
  readonly objectSelector: LabelSelectorObject
  readonly matchConditions: readonly MatchCondition[]
  /** Failures to call it are ignored. */
  readonly ignore: boolean
  /** Whether it may be called in dry runs. */
  readonly dryRun: boolean
  /** Milliseconds. */
  readonly timeout: number
  /** The version of AdmissionReview to speak; undefined: it takes none that is known. */
  readonly version: 'v1' | 'v1beta1' | undefined
  /** Mutating ones: asked again when the object changes after them. */
  readonly reinvoked: boolean
}

/** A webhook as it is stored, defaulted. */
interface HookSpec {
  readonly name: string
  readonly clientConfig: {
    readonly url?: string
    readonly service?: {
      readonly namespace: string
      readonly name: string
      readonly path?: string
      readonly port?: number
    }
    readonly caBundle?: string
  }
  readonly rules?: readonly Rule[]
  readonly failurePolicy?: string
  readonly matchPolicy?: string
  readonly namespaceSelector?: LabelSelectorObject
  readonly objectSelector?: LabelSelectorObject
  readonly sideEffects?: string
  readonly timeoutSeconds?: number
  readonly admissionReviewVersions?: readonly string[]
  readonly matchConditions?: readonly MatchCondition[]
  readonly reinvocationPolicy?: string
}

/** Stored objects are shared and never change. */
const read = new WeakMap<KubeObject, readonly Hook[]>()

const EVERYTHING: LabelSelectorObject = {}
const SECONDS = 10

function hooksOf(configuration: KubeObject): readonly Hook[] {
  let hooks = read.get(configuration)
  if (hooks === undefined) {
    const specs = (configuration['webhooks'] ?? []) as readonly HookSpec[]
    const name = configuration.metadata.name ?? ''
    hooks = specs.map((spec, i) => hookOf(spec, name, i))
    read.set(configuration, hooks)
  }
  return hooks
}

function hookOf(spec: HookSpec, configuration: string, index: number): Hook {
  const { caBundle } = spec.clientConfig
  return {
    id: `${configuration}/${spec.name}/${index}`,
    configuration,
    name: spec.name,
    destination: destinationOf(spec),
    ...(caBundle === undefined || caBundle === ''
      ? {}
      : { caBundle: Buffer.from(caBundle, 'base64').toString('utf8') }),
    rules: spec.rules ?? [],
    exact: spec.matchPolicy === 'Exact',
    namespaceSelector: spec.namespaceSelector ?? EVERYTHING,
    objectSelector: spec.objectSelector ?? EVERYTHING,
    matchConditions: spec.matchConditions ?? [],
    ignore: spec.failurePolicy === 'Ignore',
    dryRun: spec.sideEffects === 'None' || spec.sideEffects === 'NoneOnDryRun',
    timeout: (spec.timeoutSeconds ?? SECONDS) * 1000,
    version: spec.admissionReviewVersions?.find((each) => each === 'v1' || each === 'v1beta1') as Hook['version'],
    reinvoked: spec.reinvocationPolicy === 'IfNeeded',
  }
}

function destinationOf({ clientConfig: { url, service } }: HookSpec): Destination {
  if (service === undefined) return { url: url ?? '' }
  const { namespace, name, path, port } = service
  return {
    service: { namespace, name, ...(path === undefined ? {} : { path }), ...(port === undefined ? {} : { port }) },
  }
}

/** The webhooks of one kind, in order of their configurations' names. `resource`: `mutatingwebhookconfigurations`. */
export function webhooksOf(resource: string): Configured<Hook> {
  return new Configured([resource], (configurations = []) => configurations.flatMap(hooksOf))
}

/** The resource in whose version the webhook's rules want the request, whatever its selectors say. */
export function ruledIn(hook: Hook, view: View): ServedResource | undefined {
  return matchRules(hook.rules, hook.exact, view)
}

/**
 * The same with its selectors; undefined: it is not to be called.
 *
 * @throws StatusError 404 when the namespace whose labels are asked about does not exist
 */
export function selectedIn(hook: Hook, view: View): ServedResource | undefined {
  const matched = ruledIn(hook, view)
  if (matched === undefined || !matchesObject(hook.objectSelector, view)) return undefined
  return matchesNamespace(hook.namespaceSelector, view) ? matched : undefined
}
