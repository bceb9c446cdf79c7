/** CSINode. */
import { child, duplicate, index, invalid, required } from '../../field.ts'
import { nonNegative, qualifiedName } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { shownAs } from '../internal.ts'
import { isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { keepMetadata } from '../metadata.ts'
import { csiDriverName } from '../pod/volumes.ts'

const MAX_NODE_ID = 256

function driver(
  { name = '', nodeID = '', allocatable, topologyKeys }: Json,
  names: Set<string>,
  path: string,
  out: Errors,
): void {
  csiDriverName(name, child(path, 'name'), out)
  const id = child(path, 'nodeID')
  if (nodeID === '') out.push(required(id))
  if (Buffer.byteLength(nodeID) > MAX_NODE_ID) {
    out.push(invalid(id, nodeID, `must be ${MAX_NODE_ID} characters or less`))
  }
  if (isSet(allocatable?.count)) nonNegative(allocatable.count, child(path, 'allocatable.count'), out)
  if (names.has(name)) out.push(duplicate(child(path, 'name'), name))
  names.add(name)
  const [keys, twice] = [new Set<string>(), new Set<string>()]
  for (const key of listOf(topologyKeys) as string[]) {
    if (keys.has(key)) {
      // However often it is there, it is told once.
      if (!twice.has(key)) out.push(duplicate(path, key))
      twice.add(key)
      continue
    }
    keys.add(key)
    if (key === '') out.push(required(path))
    qualifiedName(key, path, out)
  }
}

const DRIVER = 'io.k8s.api.storage.v1.CSINodeDriver'

export const csiNodeRules: KindRules = {
  defaults: (node) => {
    const spec: Json = (node['spec'] ??= {})
    spec.drivers ??= null
    node['status'] ??= {}
  },
  prepareCreate: (node) => {
    node['status'] = {}
  },
  prepareUpdate: (node, old) => {
    node['status'] = old['status']
  },
  prepareStatus: (node, old) => {
    node['spec'] = old['spec']
    keepMetadata(node, old)
    if (listOf((old['status'] as Json)?.storageHealth).length === 0 && isSet(node['status'])) {
      delete (node['status'] as Json).storageHealth
    }
  },
  validate: (node) => {
    const out: Errors = []
    const names = new Set<string>()
    listOf((node['spec'] as Json)?.drivers).forEach((one, i) => driver(one ?? {}, names, index('spec.drivers', i), out))
    return out
  },
  validateUpdate: (now, old) => {
    const out: Errors = []
    const drivers = listOf((now['spec'] as Json)?.drivers)
    for (const before of listOf((old['spec'] as Json)?.drivers)) {
      for (const one of drivers) {
        const [was, is] = [before, one].map(({ allocatable: _count, ...fixed }) => fixed as Json)
        if (before.name !== one.name || same(was, is)) continue
        out.push(invalid('spec.drivers', shownAs(DRIVER, is), 'field is immutable'))
      }
    }
    return out
  },
  unconditionalUpdate: false,
  generation: false,
}
