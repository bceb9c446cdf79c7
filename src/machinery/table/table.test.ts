import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../object.ts'
import { defaultTable, tableFor } from './index.ts'
import cases from './testdata/tables.oracle.json' with { type: 'json' }

interface Case {
  readonly document: KubeObject
  readonly answer: {
    readonly columns: readonly object[]
    readonly cells: readonly unknown[]
    readonly conditions: readonly object[] | null
  }
}

function definitionOf({ apiVersion = '', kind = '' }: KubeObject) {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const found = tableFor(group, kind)
  assert.ok(found, `${group}/${kind}`)
  return found
}

test('columns and cells are those of the printers', () => {
  for (const { document, answer } of cases as unknown as readonly Case[]) {
    const definition = definitionOf(document)
    const what = `${document.kind} ${document.metadata.name}`
    assert.deepEqual(
      definition.columns.map(({ name, type, format, priority }) => ({ name, type, format, priority })),
      answer.columns,
      what,
    )
    assert.deepEqual(definition.cells(document, 0), answer.cells, what)
    assert.deepEqual(
      (definition.conditions?.(document) ?? []).map((one) => ({ ...one })),
      answer.conditions ?? [],
      what,
    )
  }
})

test('every table answers for an object with nothing in it', () => {
  for (const { document } of cases as unknown as readonly Case[]) {
    const definition = definitionOf(document)
    const empty = { apiVersion: document.apiVersion!, kind: document.kind!, metadata: { name: 'x' } }
    // IPAddress has a cell more than columns upstream.
    const more = document.kind === 'IPAddress' ? 1 : 0
    assert.equal(definition.cells(empty, 0).length, definition.columns.length + more, document.kind ?? '')
  }
})

const now = Date.UTC(2030, 0, 2)

test('ages', () => {
  const status = {
    phase: 'Running',
    containerStatuses: [
      { name: 'c', restartCount: 2, lastState: { terminated: { finishedAt: '2030-01-01T23:55:00Z' } } },
      { name: 'd', restartCount: 1, lastState: { terminated: { finishedAt: '2030-01-01T23:50:00Z' } } },
    ],
  }
  const metadata = { name: 'p', creationTimestamp: '2030-01-01T00:00:00Z' }
  const pod = definitionOf({ apiVersion: 'v1', kind: 'Pod', metadata }).cells({ metadata, status }, now)
  assert.deepEqual(pod.slice(3, 5), ['3 (5m ago)', '24h'])
  const event = {
    metadata,
    eventTime: '2030-01-01T23:59:00.123456Z',
    series: { lastObservedTime: '2030-01-01T23:59:30Z' },
  }
  const cells = definitionOf({ apiVersion: 'v1', kind: 'Event', metadata }).cells(event, now)
  assert.deepEqual([cells[0], cells[7]], ['30s', '59s'])
  const job = { metadata, status: { startTime: '2030-01-01T23:59:00Z' } }
  assert.equal(definitionOf({ apiVersion: 'batch/v1', kind: 'Job', metadata }).cells(job, now)[3], '60s')
})

test('the newest default StorageClass is the default', () => {
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
  const make = (name: string, creationTimestamp: string) => ({ metadata: { name, creationTimestamp, annotations } })
  const all = [make('a', '2020-01-01T00:00:00Z'), make('c', '2021-01-01T00:00:00Z'), make('b', '2021-01-01T00:00:00Z')]
  const { cells } = tableFor('storage.k8s.io', 'StorageClass')!
  assert.deepEqual(
    all.map((one) => cells(one, now, all)[0]),
    ['a', 'c', 'b (default)'],
  )
})

test('kinds without columns of their own', () => {
  assert.equal(tableFor('', 'LimitRange'), undefined)
  assert.equal(tableFor('rbac.authorization.k8s.io', 'Role'), undefined)
  assert.equal(tableFor('', '__proto__'), undefined)
  const metadata = { name: 'x', creationTimestamp: '2030-01-01T00:00:00Z' }
  assert.deepEqual(defaultTable.cells({ metadata }, now), ['x', '2030-01-01T00:00:00Z'])
})
