/** Admission: what looks at a write between its authorization and its registry, in two passes. */
import type { Authorizer, Call, Catalog, DeleteOptions, ServedResource } from '../contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { ResourceInfo } from '../../machinery/types/table.ts'
import type { ClusterMetrics } from '../metrics/cluster.ts'
import type { Reinvocation } from './reinvocation.ts'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

/** One write, as plug-ins see it. Objects are in the resource's storage version, defaulted. */
export interface AdmissionRequest {
  readonly operation: Operation
  /** Of an UPDATE: how it was asked for. @default 'update' */
  readonly verb?: 'update' | 'patch'
  readonly resource: ServedResource
  /** The resource in the version of the request's URL: what rules of policies and webhooks are asked about first. */
  readonly requested: ServedResource
  /** '' for the object itself. */
  readonly subresource: string
  readonly namespace: string
  /** '' for a create whose name is still to be generated, and for the objects of a collection that is deleted. */
  readonly name: string
  /** Private to the request: the mutating pass changes it in place. For DELETE: what is stored, not to be changed. For CONNECT: the options. */
  readonly object: KubeObject
  /** What is stored, for UPDATE and DELETE. Shared. */
  readonly old: KubeObject | undefined
  readonly call: Call
  /** Of a DELETE. */
  readonly options?: DeleteOptions
  readonly state: ClusterState
  /** Made by the first plug-in of the mutating pass that asks somebody outside. */
  reinvocation?: Reinvocation
}

/** What plug-ins may know of the cluster. Always the newest state, also where its commit is under way: no cache lags. */
export interface ClusterState {
  /** Whether anything of a group is stored: a cheap way to know that there is nothing to look for. */
  any(group: string): boolean
  find(group: string, resource: string, namespace: string, name: string): KubeObject | undefined
  /** Committed objects of a namespace, or all for ''. */
  list(group: string, resource: string, namespace: string): readonly KubeObject[]
  readonly authorizer: Authorizer
  readonly catalog: Catalog
  /** A number in [0, 1). */
  random(): number
  readonly metrics: Pick<ClusterMetrics, 'admission'>
  /** The present time as metadata has it. */
  now(): string
}

/** Another object that is written together with the request's, or not at all. */
export interface SideWrite {
  readonly group: string
  readonly resource: string
  /** The new state, made from the one that its resourceVersion names. Private but for parts of that state. */
  readonly object: KubeObject
}

/** A plug-in. It throws StatusError to refuse. */
export interface AdmissionPlugin {
  /** Upstream's name of it. */
  readonly name: string
  /** Asked once per resource, operation and subresource. */
  handles(operation: Operation, resource: ResourceInfo, subresource: string): boolean
  mutate?(request: AdmissionRequest): void | Promise<void>
  validate?(request: AdmissionRequest): void | Promise<void>
  /**
   * After all validations, in the turn of the write itself: what is read here is what the write meets. Also asked in
   * dry runs, whose side writes are dropped.
   */
  reserve?(request: AdmissionRequest): readonly SideWrite[]
}

export interface AdmissionChain {
  /** All mutating plug-ins in order, a second time if one of them asks for it. Answers a promise only when a plug-in needs one. */
  mutate(request: AdmissionRequest): void | Promise<void>
  /** All validating plug-ins in order. */
  validate(request: AdmissionRequest): void | Promise<void>
  /** What plug-ins write together with the object. To be called right before the write. */
  reserve(request: AdmissionRequest): readonly SideWrite[]
}
