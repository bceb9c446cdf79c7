/** How metrics tell what a policy says when it refuses or fails: upstream's types, by its texts. */
import type { PolicyError } from '../../metrics/admission.ts'

export function errorOf(message: string): PolicyError {
  if (message.startsWith('compilation')) return 'compile_error'
  return message.startsWith('validation failed due to running out of cost budget') ? 'out_of_budget' : 'invalid_error'
}
