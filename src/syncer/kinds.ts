/** The kinds that go down, by name. */
import { configMaps, secrets } from './kinds/config.ts'
import { pods } from './kinds/pod.ts'
import { services } from './kinds/service.ts'

export const descriptors = { Pod: pods, Service: services, ConfigMap: configMaps, Secret: secrets } as const
export type SyncedKind = keyof typeof descriptors
export const KINDS = Object.keys(descriptors) as readonly SyncedKind[]
