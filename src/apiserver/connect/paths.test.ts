import assert from 'node:assert/strict'
import { test } from 'node:test'
import { escapePath, joinPath, throughProxy } from './paths.ts'

test('paths are joined as Go joins them; a slash at the end stays', () => {
  assert.equal(joinPath(''), '')
  assert.equal(joinPath('', '/a//b/../c/'), '/a/c/')
  assert.equal(joinPath('/x/', '/a'), '/x/a')
  assert.equal(joinPath('/../..'), '/')
  assert.equal(joinPath('/x', '/'), '/x/')
})

test('paths are escaped as Go escapes them', () => {
  assert.equal(escapePath("/a b/%/?#[]!'()*~$&+,:;=@é"), '/a%20b/%25/%3F%23%5B%5D%21%27%28%29%2A~$&+,:;=@%C3%A9')
})

test('references of the page’s own host lead through the proxy', () => {
  const mount = { prefix: '/p', source: '10.0.0.1:80', asked: 'api:6443' }
  assert.equal(throughProxy('/x?y=1#z', mount), '/p/x?y=1#z')
  assert.equal(throughProxy('http://10.0.0.1:80/x/', mount), '/p/x/')
  assert.equal(throughProxy('https://api:6443/x', mount), 'https://api:6443/p/x')
  for (const same of ['x/y', '', '#top', 'https://elsewhere/x', '//elsewhere/x', 'mailto:a@b', '/p/x'])
    assert.equal(throughProxy(same, mount), same)
})
