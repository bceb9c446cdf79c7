import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shownAs, shownListAs } from './internal.ts'

const core = (type: string): string => `io.k8s.api.core.v1.${type}`

test('what is absent is shown: null, or the zero value where upstream has no pointer', () => {
  assert.deepEqual(shownAs(core('SecurityContext'), { privileged: true, seLinuxOptions: { user: 'u' } }), {
    Capabilities: null,
    Privileged: true,
    SELinuxOptions: { User: 'u', Role: '', Type: '', Level: '' },
    WindowsOptions: null,
    RunAsUser: null,
    RunAsGroup: null,
    RunAsNonRoot: null,
    ReadOnlyRootFilesystem: null,
    AllowPrivilegeEscalation: null,
    ProcMount: null,
    SeccompProfile: null,
    AppArmorProfile: null,
  })
})

test('fields stand in the order of the internal type', () => {
  const { Probe } = { Probe: shownAs(core('Probe'), { httpGet: { port: 80 } }) as object }
  assert.deepEqual(Object.keys(Probe).slice(0, 5), ['Exec', 'HTTPGet', 'TCPSocket', 'GRPC', 'InitialDelaySeconds'])
  assert.match(JSON.stringify(Probe), /"HTTPGet":{"Path":"","Port":80,"Host":"","Scheme":"","HTTPHeaders":null,/)
})

test('embedded metadata has the names of JSON and stands with the other fields', () => {
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'a', labels: { b: 'c' } },
    spec: {},
  }
  const text = JSON.stringify(shownListAs(core('PersistentVolumeClaim'), [claim]))
  assert.match(
    text,
    /^\[{"name":"a","labels":{"b":"c"},"Spec":{"AccessModes":null,"Selector":null,"Resources":{"Limits"/,
  )
})

test('maps are sorted; a type without an internal one is shown as it is', () => {
  const spec = { nodeSelector: { b: '2', a: '1' }, affinity: { podAffinity: {} } }
  const shown = shownAs(core('PodSpec'), spec) as Record<string, unknown>
  assert.equal(JSON.stringify(shown['NodeSelector']), '{"a":"1","b":"2"}')
  const selector = { matchLabels: { a: 'b' } }
  assert.equal(shownAs('io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector', selector), selector)
  assert.equal(shownListAs(core('PodSpec'), undefined), null)
})
