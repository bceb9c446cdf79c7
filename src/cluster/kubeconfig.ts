/** A kubeconfig as text, with everything inline. */
export interface KubeconfigParts {
  /** Name of cluster, user and context. */
  readonly name: string
  /** `https://127.0.0.1:7443` */
  readonly server: string
  /** PEM texts. */
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

export function kubeconfig({ name, server, ca, certificate, key }: KubeconfigParts): string {
  const data = (pem: string) => Buffer.from(pem).toString('base64')
  return `apiVersion: v1
kind: Config
clusters:
- name: ${name}
  cluster:
    server: ${server}
    certificate-authority-data: ${data(ca)}
users:
- name: ${name}-admin
  user:
    client-certificate-data: ${data(certificate)}
    client-key-data: ${data(key)}
contexts:
- name: ${name}
  context:
    cluster: ${name}
    user: ${name}-admin
current-context: ${name}
`
}
