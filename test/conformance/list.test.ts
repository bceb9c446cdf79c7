import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KUBERNETES_VERSION } from '../support/kubernetes.ts'
import { focusOf, formatList, lists, parseList, readList } from './list.ts'

test('a list is read as it is written', () => {
  const text = formatList(['b [x]', 'a (y).', 'b [x]'], 'some.')
  assert.equal(text, `# Kubernetes ${KUBERNETES_VERSION}: some.\na (y).\nb [x]\n`)
  assert.deepEqual(parseList(text), ['a (y).', 'b [x]'])
  assert.deepEqual(parseList('\n  a  \n# b\n'), ['a'])
  assert.throws(() => parseList('# Kubernetes v1.2.3: old\na\n'), /is of Kubernetes v1.2.3, the suite of v/)
})

test('a focus selects exactly the tests of a list', () => {
  const names = readList(lists.classA)
  const focus = new RegExp(focusOf(['a (y).', '[sig-x] b | c']))
  for (const [name, selected] of [
    ['a (y).', true],
    ['a (y)x', false],
    ['[sig-x] b | c', true],
    ['a (y). more', false],
  ] as const)
    assert.equal(focus.test(name), selected)
  const all = new RegExp(focusOf(names))
  assert.ok(names.every((name) => all.test(name)))
})

test('the kept lists belong together', () => {
  const a = readList(lists.classA)
  const b = readList(lists.classB)
  assert.equal(new Set(a).size, 149)
  assert.equal(new Set(b).size, 91)
  for (const [file, all] of [
    [lists.knownGreen, a],
    [lists.knownGreenNodes, b],
    [lists.slow, [...a, ...b]],
  ] as const)
    assert.deepEqual(
      readList(file).filter((name) => !all.includes(name)),
      [],
    )
})
