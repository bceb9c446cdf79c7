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

/** What strict decoding says of a field that the kind does not have. */
export const unknownField = (path: string): string => `unknown field ${JSON.stringify(path)}`

/** What strict decoding says of a key that stood before in the same object. */
export const duplicateField = (path: string): string => `duplicate field ${JSON.stringify(path)}`
