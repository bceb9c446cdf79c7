/** More than 60 kubectl commands, as a tenant would give them. Each one's output is asserted. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createCa, issueCertificate } from '../../src/machinery/pki/certificate.ts'
import { Kubectl } from '../support/kubectl.ts'
import { eventually } from '../support/eventually.ts'

/** Runs the commands in the virtual cluster that `tenant` reaches. */
export async function kubectlSuite(t: TestContext, program: string, tenant: string): Promise<void> {
  using kubectl = new Kubectl(program, tenant)
  const ok = (words: string | readonly string[], stdin?: string) =>
    kubectl.run(words, stdin === undefined ? {} : { stdin })
  const part = (name: string, body: () => Promise<void>) => t.test(name, body)

  await part('about the cluster', async () => {
    const version = JSON.parse(await ok('version -o json')) as {
      serverVersion: { gitVersion: string; major: string; minor: string }
    }
    assert.match(version.serverVersion.gitVersion, /^v1\.37\./)
    assert.equal(`${version.serverVersion.major}.${version.serverVersion.minor}`, '1.37')
    assert.match(await ok('cluster-info'), /Kubernetes control plane.* is running at.*https:\/\/127\.0\.0\.1/)
    assert.match(await ok('api-versions'), /^apps\/v1$/m)
    assert.match(await ok('api-resources'), /^deployments +deploy +apps\/v1 +true +Deployment$/m)
    assert.match(await ok('api-resources --namespaced=false -o name'), /^nodes$/m)
    assert.match(await ok('get --raw /readyz'), /^ok$/)
    assert.match(await ok('get namespaces'), /^default +Active +\d+/m)
    assert.match(await ok('config current-context'), /\S/)
  })

  await part('access', async () => {
    assert.equal(await ok('auth can-i create pods'), 'yes\n')
    assert.match(await ok('auth can-i --list'), /\*\.\* +\[\] +\[\] +\[\*\]/)
    assert.match(await ok('auth whoami'), /system:masters/)
  })

  await part('create of each generator', async () => {
    assert.equal(await ok('create namespace lab'), 'namespace/lab created\n')
    assert.equal(
      await ok('config set-context --current --namespace=lab'),
      `Context "${(await ok('config current-context')).trim()}" modified.\n`,
    )
    assert.equal(
      await ok('create configmap app --from-literal=mode=fast --from-literal=level=3'),
      'configmap/app created\n',
    )
    assert.equal(await ok('get configmap app -o jsonpath={.data.mode}'), 'fast')
    assert.equal(await ok('create secret generic creds --from-literal=password=hunter2'), 'secret/creds created\n')
    assert.equal(await ok('get secret creds -o jsonpath={.data.password}'), Buffer.from('hunter2').toString('base64'))
    assert.equal(
      await ok(
        'create secret docker-registry pull --docker-username=u --docker-password=p --docker-server=registry.test',
      ),
      'secret/pull created\n',
    )
    const ca = createCa({ commonName: 'shop', now: Date.now() })
    const served = issueCertificate(ca, {
      commonName: 'shop.test',
      usage: 'server',
      dns: ['shop.test'],
      now: Date.now(),
    })
    kubectl.file('tls.crt', served.certificate)
    kubectl.file('tls.key', served.key)
    assert.equal(await ok('create secret tls served --cert=tls.crt --key=tls.key'), 'secret/served created\n')
    assert.equal(await ok('create serviceaccount robot'), 'serviceaccount/robot created\n')
    assert.match(await ok('create token robot'), /^[\w-]+\.[\w-]+\.[\w-]+\s*$/)
    assert.equal(
      await ok('create role reader --verb=get,list --resource=pods'),
      'role.rbac.authorization.k8s.io/reader created\n',
    )
    assert.equal(
      await ok('create rolebinding reader --role=reader --serviceaccount=lab:robot'),
      'rolebinding.rbac.authorization.k8s.io/reader created\n',
    )
    assert.equal(
      await ok('create clusterrole watcher --verb=watch --resource=nodes'),
      'clusterrole.rbac.authorization.k8s.io/watcher created\n',
    )
    assert.equal(
      await ok('create clusterrolebinding watcher --clusterrole=watcher --user=ann'),
      'clusterrolebinding.rbac.authorization.k8s.io/watcher created\n',
    )
    assert.equal(await ok('create quota small --hard=pods=100'), 'resourcequota/small created\n')
    assert.equal(
      await ok('create priorityclass high --value=1000 --description=urgent'),
      'priorityclass.scheduling.k8s.io/high created\n',
    )
    assert.equal(
      await ok('create poddisruptionbudget keep --selector=app=guarded --min-available=1'),
      'poddisruptionbudget.policy/keep created\n',
    )
    assert.equal(await ok('create service clusterip plain --tcp=80:8080'), 'service/plain created\n')
    assert.equal(await ok('create service nodeport door --tcp=80:8080'), 'service/door created\n')
    assert.equal(await ok('create service loadbalancer wide --tcp=80:8080'), 'service/wide created\n')
    assert.equal(await ok('create service externalname out --external-name=example.com'), 'service/out created\n')
    assert.equal(
      await ok('create ingress front --rule=shop.test/*=web:80'),
      'ingress.networking.k8s.io/front created\n',
    )
    assert.equal(await ok('create job once --image=busybox:1.37 -- true'), 'job.batch/once created\n')
    assert.equal(
      await ok(['create', 'cronjob', 'daily', '--image=busybox:1.37', '--schedule=0 3 * * *', '--', 'true']),
      'cronjob.batch/daily created\n',
    )
    assert.equal(await ok('create deployment web --image=nginx:1.27 --replicas=3'), 'deployment.apps/web created\n')
  })

  await part('service account rights', async () => {
    assert.equal(await ok('auth can-i list pods --as=system:serviceaccount:lab:robot'), 'yes\n')
    const refused = await kubectl.try('auth can-i delete pods --as=system:serviceaccount:lab:robot')
    assert.deepEqual([refused.stdout, refused.code], ['no\n', 1])
    const forbidden = await kubectl.try('get secrets --as=system:serviceaccount:lab:robot')
    assert.match(
      forbidden.stderr,
      /secrets is forbidden: User "system:serviceaccount:lab:robot" cannot list resource "secrets" in API group "" in the namespace "lab"/,
    )
    assert.match(await ok('get pods --as=system:serviceaccount:lab:robot -o name'), /pod\/web-/)
  })

  await part('look at things', async () => {
    assert.match(await ok('rollout status deployment/web --timeout=60s'), /deployment "web" successfully rolled out/)
    assert.match(
      await ok('get deployment web -o wide'),
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\nweb +3\/3 +3 +3 +\S+ +nginx +nginx:1\.27 +app=web\n$/,
    )
    assert.match(
      await ok('get pods -l app=web'),
      /^NAME +READY +STATUS +RESTARTS +AGE\n(web-\S+ +1\/1 +Running +0 +\S+\n){3}$/,
    )
    assert.match(
      await ok('get pods -l app=web -o wide'),
      /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n/,
    )
    assert.match(
      await ok('get pods -l app=web -o custom-columns=N:.metadata.name,P:.status.phase'),
      /^N +P\n(web-\S+ +Running\n){3}$/,
    )
    assert.equal((await ok('get pods -l app=web -o name')).trim().split('\n').length, 3)
    assert.match(await ok('get replicasets'), /^web-\S+ +3 +3 +3 +/m)
    const pod = (await ok('get pods -l app=web -o name')).split('\n')[0]!
    assert.match(await ok(`get ${pod} -o yaml`), /^apiVersion: v1\nkind: Pod\nmetadata:\n/)
    const described = await ok(`describe ${pod}`)
    assert.match(described, /^Status: +Running$/m)
    assert.match(described, /^Node: +\S+\/\d+\.\d+\.\d+\.\d+$/m)
    assert.match(described, /^Controlled By: +ReplicaSet\/web-/m)
    assert.match(
      await ok('describe deployment web'),
      /Replicas: +3 desired \| 3 updated \| 3 total \| 3 available \| 0 unavailable/,
    )
    assert.match(await ok('get all'), /deployment\.apps\/web/)
    assert.match(await ok('get nodes'), /^\S+ +Ready +<none> +\S+ +v1\.37/m)
    assert.match(
      await eventually(
        'an event',
        async () => (await ok('get events')).includes('ScalingReplicaSet') && ok('get events'),
      ),
      /deployment\/web +Scaled up replica set web-\S+/,
    )
  })

  await part('services', async () => {
    assert.equal(await ok('expose deployment web --port=80 --target-port=8080'), 'service/web exposed\n')
    assert.match(await ok('get service web -o jsonpath={.spec.clusterIP}'), /^\d+\.\d+\.\d+\.\d+$/)
    const addresses = await eventually('three endpoints', async () => {
      const list = (
        await ok(
          'get endpointslices -l kubernetes.io/service-name=web -o jsonpath={.items[*].endpoints[*].addresses[0]}',
        )
      ).split(' ')
      return list.length === 3 && list
    })
    assert.equal(new Set(addresses).size, 3)
    assert.match(await ok('get endpoints web'), /^web +\S+:8080,\S+:8080,\S+:8080/m)
    assert.match(await ok('describe service web'), /^Endpoints: +\S+:8080/m)
  })

  await part('change things', async () => {
    assert.equal(await ok('scale deployment web --replicas=5'), 'deployment.apps/web scaled\n')
    assert.match(await ok('rollout status deployment/web --timeout=60s'), /successfully rolled out/)
    assert.equal(await ok('get deployment web -o jsonpath={.status.readyReplicas}'), '5')
    assert.equal(await ok('set image deployment/web nginx=nginx:1.28'), 'deployment.apps/web image updated\n')
    assert.match(await ok('rollout status deployment/web --timeout=60s'), /successfully rolled out/)
    assert.match(await ok('rollout history deployment/web'), /^1 +<none>\n2 +<none>$/m)
    assert.match(await ok('rollout history deployment/web --revision=2'), /nginx:1\.28/)
    assert.equal(await ok('rollout undo deployment/web'), 'deployment.apps/web rolled back\n')
    assert.match(await ok('rollout status deployment/web --timeout=60s'), /successfully rolled out/)
    assert.equal(await ok('get deployment web -o jsonpath={.spec.template.spec.containers[0].image}'), 'nginx:1.27')
    assert.equal(await ok('rollout restart deployment/web'), 'deployment.apps/web restarted\n')
    assert.match(await ok('rollout status deployment/web --timeout=60s'), /successfully rolled out/)
    assert.equal(await ok('rollout pause deployment/web'), 'deployment.apps/web paused\n')
    assert.equal(await ok('rollout resume deployment/web'), 'deployment.apps/web resumed\n')
    assert.equal(await ok('set env deployment/web COLOR=red'), 'deployment.apps/web env updated\n')
    assert.equal(
      await ok('set resources deployment/web --requests=cpu=20m'),
      'deployment.apps/web resource requirements updated\n',
    )
    assert.equal(
      await ok(['patch', 'configmap', 'app', '--type=merge', '-p', '{"data":{"mode":"slow"}}']),
      'configmap/app patched\n',
    )
    assert.equal(
      await ok([
        'patch',
        'deployment',
        'web',
        '-p',
        '{"spec":{"template":{"spec":{"containers":[{"name":"nginx","imagePullPolicy":"Always"}]}}}}',
      ]),
      'deployment.apps/web patched\n',
    )
    assert.equal(await ok('get deployment web -o jsonpath={.spec.template.spec.containers[0].env[0].value}'), 'red')
    assert.equal(
      await ok(['patch', 'configmap', 'app', '--type=json', '-p', '[{"op":"remove","path":"/data/level"}]']),
      'configmap/app patched\n',
    )
    assert.equal(await ok('get configmap app -o jsonpath={.data}'), '{"mode":"slow"}')
    assert.equal(await ok('label configmap app tier=front'), 'configmap/app labeled\n')
    assert.match(await ok('get configmap -l tier=front -L tier'), /^app +1 +\S+ +front$/m)
    assert.equal(await ok('annotate configmap app note=hello'), 'configmap/app annotated\n')
    assert.equal(await ok('label configmap app tier-'), 'configmap/app unlabeled\n')
  })

  await part('apply, diff, edit, replace', async () => {
    const manifest = (mode: string) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: applied\n  namespace: lab\ndata:\n  mode: ${mode}\n`
    assert.equal(await ok('apply -f -', manifest('one')), 'configmap/applied created\n')
    assert.equal(await ok('apply -f -', manifest('one')), 'configmap/applied unchanged\n')
    const diff = await kubectl.try('diff -f -', { stdin: manifest('two') })
    assert.equal(diff.code, 1)
    assert.match(diff.stdout, /^-  mode: one\n\+  mode: two$/m)
    assert.equal(await ok('apply -f -', manifest('two')), 'configmap/applied configured\n')
    kubectl.file('kustomization.yaml', 'namespace: lab\nnamePrefix: k-\nresources: [cm.yaml]\n')
    kubectl.file('cm.yaml', manifest('three'))
    assert.equal(await ok('apply -k .'), 'configmap/k-applied created\n')
    assert.equal(
      await kubectl.run('edit configmap applied', { env: { KUBE_EDITOR: 'sed -i s/two/edited/' } }),
      'configmap/applied edited\n',
    )
    assert.equal(await ok('get configmap applied -o jsonpath={.data.mode}'), 'edited')
    assert.equal(await ok('replace -f -', manifest('replaced')), 'configmap/applied replaced\n')
    assert.equal(
      await ok('create -f - --dry-run=server -o name', manifest('x').replace('name: applied', 'name: dry')),
      'configmap/dry\n',
    )
    assert.match((await kubectl.try('get configmap dry')).stderr, /configmaps "dry" not found/)
    const wrong = await kubectl.try('apply -f -', { stdin: manifest('x').replace('\ndata:', '\ndat:') })
    assert.match(wrong.stderr, /unknown field "dat"/)
    const invalid = await kubectl.try('create deployment UPPER --image=nginx')
    assert.match(invalid.stderr, /metadata\.name: Invalid value: "UPPER": a lowercase RFC 1123 subdomain/)
  })

  await part('explain', async () => {
    assert.match(
      await ok('explain pod.spec.containers'),
      /^KIND: +Pod\nVERSION: +v1\n\nFIELD: containers <\[\]Container>/,
    )
    assert.match(await ok('explain deployment.spec.strategy.rollingUpdate'), /maxSurge\t<IntOrString>/)
    assert.match(await ok('explain configmap --recursive'), /data\t<map\[string\]string>/)
  })

  await part('a pod by itself', async () => {
    assert.equal(await ok('run box --image=busybox:1.37 --restart=Never -- sleep 100000'), 'pod/box created\n')
    assert.equal(await ok('wait --for=condition=Ready pod/box --timeout=60s'), 'pod/box condition met\n')
    assert.match(await ok('logs box'), /\S/)
    assert.match(await ok('logs box --tail=1'), /^[^\n]+\n$/)
    const seen = await kubectl.watch(
      'get pods -w --output-watch-events',
      (output) => /ADDED +later +/.test(output),
      () => ok('run later --image=busybox:1.37 -- sleep 100000'),
    )
    assert.match(seen, /^EVENT +NAME +READY +STATUS/m)
    assert.match((await kubectl.try('top pods')).stderr, /Metrics API not available/)
    assert.equal(
      await ok('delete pod box later --wait --grace-period=1'),
      'pod "box" deleted from lab namespace\npod "later" deleted from lab namespace\n',
    )
    assert.match((await kubectl.try('get pod box')).stderr, /pods "box" not found/)
  })

  await part('cordon and drain', async () => {
    const node = (await ok('get pods -l app=web -o jsonpath={.items[0].spec.nodeName}')).trim()
    assert.equal(await ok(`cordon ${node}`), `node/${node} cordoned\n`)
    assert.match(await ok(`get node ${node}`), /Ready,SchedulingDisabled/)
    assert.match(
      await ok(`drain ${node} --force --ignore-daemonsets --delete-emptydir-data --timeout=60s`),
      new RegExp(`node/${node} drained`),
    )
    assert.match(await ok('rollout status deployment/web --timeout=60s'), /successfully rolled out/)
    const nodes = (await ok('get pods -l app=web -o jsonpath={.items[*].spec.nodeName}')).split(' ')
    assert.ok(!nodes.includes(node), `no pod of web is on the drained ${node}: ${nodes.join(' ')}`)
    // The view of a node lingers for a while after its last pod; it can be opened again while it is there.
    const uncordoned = await kubectl.try(`uncordon ${node}`)
    assert.ok(
      uncordoned.stdout === `node/${node} uncordoned\n` || /not found/.test(uncordoned.stderr),
      uncordoned.stderr,
    )
  })

  await part('delete, three ways', async () => {
    const set = async () => (await ok('get replicasets -l app=web -o name')).trim().split('\n')[0]!
    assert.equal(
      await ok('delete deployment web --cascade=orphan'),
      'deployment.apps "web" deleted from lab namespace\n',
    )
    const orphan = await set()
    assert.match(orphan, /^replicaset\.apps\/web-/)
    assert.equal(await ok(`get ${orphan} -o jsonpath={.metadata.ownerReferences}`), '')
    assert.match(await ok('delete replicasets -l app=web --cascade=foreground'), /replicaset\.apps "web-\S+" deleted/)
    assert.equal(await ok('get pods -l app=web -o name'), '')
    await ok('create deployment gone --image=nginx:1.27')
    await ok('rollout status deployment/gone --timeout=60s')
    assert.equal(
      await ok('delete deployment gone --cascade=background'),
      'deployment.apps "gone" deleted from lab namespace\n',
    )
    await eventually('its pods are gone', async () => (await ok('get pods -l app=gone -o name')) === '')
    assert.equal(await ok('delete namespace lab --timeout=80s'), 'namespace "lab" deleted\n')
    assert.match((await kubectl.try('get namespace lab')).stderr, /namespaces "lab" not found/)
  })

  await part('more than 60 commands ran', async () => {
    assert.ok(kubectl.ran > 60, `${kubectl.ran}`)
    await Promise.resolve()
  })
}
