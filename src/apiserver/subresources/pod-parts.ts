/** ephemeralcontainers and resize: the two ways to change a pod that runs. */
import {
  prepareEphemeralContainers,
  prepareResize,
  validateEphemeralContainers,
  validateResize,
} from '../../machinery/kinds/index.ts'
import type { Subresource } from '../registry/subresource.ts'

/** Only adds ephemeral containers; nothing else of the pod changes. */
export const ephemeralContainers: Subresource = {
  restrict: prepareEphemeralContainers,
  validate: validateEphemeralContainers,
}

/** Only changes the resources of containers; the QoS class stays. */
export const resize: Subresource = { restrict: prepareResize, validate: validateResize }
