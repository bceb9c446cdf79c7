/** A body that cannot be decoded; the message is Kubernetes' own and becomes part of a 400. */
export class DecodeError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DecodeError'
  }
}

/** A path as strict decoding prints it: `spec.containers[0].image`. */
export function childPath(parent: string, name: string): string {
  return parent === '' ? name : `${parent}.${name}`
}
