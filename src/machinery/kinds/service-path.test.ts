import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FieldError } from '../field.ts'
import { servicePath } from './service-path.ts'

const problems = (text: string): string[] => {
  const out: FieldError[] = []
  servicePath(text, 'path', out)
  return out.map(({ message }) => message.replace(/: a lowercase RFC 1123 subdomain.*/, ': no subdomain'))
}

test('none, the root, and segments that are subdomains, with a slash at the end or without', () => {
  for (const text of ['', '/', '/a', '/a/', '/a.b/c-d']) assert.deepEqual(problems(text), [], text)
})

test('each segment that is wrong is told by its number', () => {
  assert.deepEqual(problems('//'), ['Invalid value: "//": segment[0] may not be empty'])
  assert.deepEqual(problems('/a//b/'), ['Invalid value: "/a//b/": segment[1] may not be empty'])
  assert.deepEqual(problems('/a/B'), ['Invalid value: "/a/B": segment[1]: no subdomain'])
})

test('without a slash it is told so, and the first character is left out all the same', () => {
  assert.deepEqual(problems('Ab'), ['Invalid value: "Ab": must start with a \'/\''])
})
