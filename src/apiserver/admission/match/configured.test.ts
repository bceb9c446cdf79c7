import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../machinery/object.ts'
import type { ClusterState } from '../contract.ts'
import { Configured, GROUP } from './configured.ts'

type Stored = Record<string, readonly KubeObject[]>

const named = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'K', metadata: { name } })

/** A cluster that stores what `stored` has at the moment, and notes what it is asked for. */
function cluster(stored: Stored, asked: string[] = []): ClusterState {
  const state: Pick<ClusterState, 'any' | 'list'> = {
    any: (group) => group === GROUP && Object.values(stored).some((list) => list.length > 0),
    list: (group, resource) => {
      asked.push(`${group}/${resource}`)
      return [...(stored[resource] ?? [])]
    },
  }
  return state as ClusterState
}

const names = (...lists: readonly (readonly KubeObject[])[]): string[] =>
  lists.map((list) => list.map((object) => object.metadata.name).join('+'))

test('it is made again when an object comes, goes or is another, and only then', () => {
  let makes = 0
  const source = new Configured(['as', 'bs'], (...lists) => {
    makes++
    return names(...lists)
  })
  const stored: Stored = { as: [named('a')], bs: [named('b')] }
  const state = cluster(stored)
  const first = source.read(state)
  assert.deepEqual(first, ['a', 'b'])
  assert.equal(source.read(state), first)
  assert.equal(makes, 1)
  stored['bs'] = [...stored['bs']!, named('c')]
  assert.deepEqual(source.read(state), ['a', 'b+c'])
  stored['as'] = [named('a')]
  assert.notEqual(source.read(state), first)
  assert.equal(makes, 3)
  stored['bs'] = stored['bs'].slice(1)
  assert.deepEqual(source.read(state), ['a', 'c'])
  assert.equal(makes, 4)
})

test('where one of the resources has no object, nothing is made, nor are the others read', () => {
  const source = new Configured(['as', 'bs'], names)
  const asked: string[] = []
  assert.deepEqual(source.read(cluster({}, asked)), [])
  assert.deepEqual(asked, [])
  assert.deepEqual(source.read(cluster({ bs: [named('b')] }, asked)), [])
  assert.deepEqual(asked, [`${GROUP}/as`])
})

test('clusters share nothing', () => {
  const source = new Configured(['as'], names)
  const [one, other] = [cluster({ as: [named('one')] }), cluster({ as: [named('other')] })]
  assert.deepEqual([source.read(one), source.read(other), source.read(one)], [['one'], ['other'], ['one']])
})
