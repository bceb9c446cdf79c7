/** The error of kubeconfig files. */

/** A kubeconfig that cannot be used; the message says what and where. */
export class KubeconfigError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'KubeconfigError'
  }
}
