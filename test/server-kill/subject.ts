/** The kinds the kill test writes: where each keeps what a step left, and what a client sends for it. */
import type { KubeObject } from '../../src/machinery/object.ts'

export const NAMESPACE = 'kill'

/** What a step leaves in an object. */
export interface Mark {
  readonly step: string
  readonly filler: string
}

export interface Subject {
  readonly resource: string
  /** Path of the collection. */
  readonly collection: string
  /** Of an object, for JSON patches, where the mark stands. */
  readonly pointer: string
  /** What JSON patches are sent to. */
  readonly patched: 'object' | 'status'
  whole(name: string, mark: Mark): object
  /** As a merge patch. */
  change(mark: Mark): object
  markOf(object: KubeObject): Partial<Mark> | undefined
}

const core = (resource: string): string => `/api/v1/namespaces/${NAMESPACE}/${resource}`

const configMap: Subject = {
  resource: 'configmaps',
  collection: core('configmaps'),
  pointer: '/data',
  patched: 'object',
  whole: (name, data) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }),
  change: (data) => ({ data }),
  markOf: (object) => object['data'] as Mark,
}

/** Its JSON patches go to the status, whose writes may change annotations too. */
const pod: Subject = {
  resource: 'pods',
  collection: core('pods'),
  pointer: '/metadata/annotations',
  patched: 'status',
  whole: (name, annotations) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  }),
  change: (annotations) => ({ metadata: { annotations } }),
  markOf: (object) => object.metadata.annotations,
}

export const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.kill.example.com' },
  spec: {
    group: 'kill.example.com',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: { step: { type: 'string', maxLength: 20 }, filler: { type: 'string', maxLength: 10_000 } },
                'x-kubernetes-validations': [{ rule: 'size(self.step) < size(self.filler)' }],
              },
            },
          },
        },
      },
    ],
  },
}

const widget: Subject = {
  resource: 'widgets.kill.example.com',
  collection: `/apis/kill.example.com/v1/namespaces/${NAMESPACE}/widgets`,
  pointer: '/spec',
  patched: 'object',
  whole: (name, spec) => ({ apiVersion: 'kill.example.com/v1', kind: 'Widget', metadata: { name }, spec }),
  change: (spec) => ({ spec }),
  markOf: (object) => object['spec'] as Mark,
}

export const SUBJECTS: readonly Subject[] = [configMap, pod, widget]

/** Counts what is created of all kinds: without controllers nothing is taken off again. */
export const QUOTA = {
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'kill' },
  spec: { hard: Object.fromEntries(SUBJECTS.map(({ resource }) => [`count/${resource}`, '1000000000'])) },
}
