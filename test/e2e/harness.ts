/** What the end-to-end suite needs of a host with two virtual clusters on it. */
import type { Client } from '../../src/client/contract.ts'

export interface Harness {
  /** The host, as its admin. */
  readonly host: Client
  /** Admin kubeconfig of the host. */
  readonly hostKubeconfig: string
  /** Admin kubeconfigs of the tenants; `red` is placed in `namespaces`, `blue` in `single`. */
  readonly tenants: { readonly red: string; readonly blue: string }
}

/** The application that both tenants deploy, names and all. */
export const application = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {mode: fast}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: unused, namespace: shop}
data: {nobody: reads it}
---
apiVersion: v1
kind: Secret
metadata: {name: password, namespace: shop}
stringData: {password: hunter2}
---
apiVersion: v1
kind: Secret
metadata: {name: private, namespace: shop}
stringData: {stays: here}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx:1.27
        ports: [{containerPort: 80, name: http}]
        envFrom: [{configMapRef: {name: settings}}]
        env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: password, key: password}}}]
        resources: {requests: {cpu: 10m, memory: 16Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: v1
kind: Pod
metadata: {name: alone, namespace: shop}
spec:
  containers: [{name: main, image: "busybox:1.37", command: [sleep, "100000"]}]
`
