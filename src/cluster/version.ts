/** The Kubernetes release whose API the embedded cluster serves. */
export const KUBERNETES_VERSION = 'v1.37.1'
