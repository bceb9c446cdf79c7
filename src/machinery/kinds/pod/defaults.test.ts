import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageTag } from './defaults.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`

const TAGS: readonly (readonly [string, string])[] = [
  ['busybox', 'latest'],
  ['busybox:1.36', '1.36'],
  ['registry:5000/a/b', 'latest'],
  ['registry:5000/a/b:v1', 'v1'],
  ['localhost/a', 'latest'],
  [`busybox@${DIGEST}`, ''],
  [`busybox:1@${DIGEST}`, '1'],
  ['Upper/x', 'latest'],
  ['x/Upper', ''],
  ['a b', ''],
  ['', ''],
  ['a:', ''],
  ['a@nothing', ''],
]

for (const [image, tag] of TAGS) {
  test(`the tag of ${JSON.stringify(image)}`, () => assert.equal(imageTag(image), tag))
}
