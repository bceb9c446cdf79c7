/** Resources that only controllers talk to by name; the others are in client/resources.ts. */
import type { Resource } from '../client/contract.ts'

function resource(group: string, version: string, plural: string, kind: string, namespaced = true): Resource {
  return { group, version, resource: plural, kind, namespaced }
}

export const workloads = {
  replicationcontrollers: resource('', 'v1', 'replicationcontrollers', 'ReplicationController'),
  resourcequotas: resource('', 'v1', 'resourcequotas', 'ResourceQuota'),
  persistentvolumeclaims: resource('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim'),
  persistentvolumes: resource('', 'v1', 'persistentvolumes', 'PersistentVolume', false),
  volumeattributesclasses: resource('storage.k8s.io', 'v1', 'volumeattributesclasses', 'VolumeAttributesClass', false),
  resourceclaims: resource('resource.k8s.io', 'v1', 'resourceclaims', 'ResourceClaim'),
  statefulsets: resource('apps', 'v1', 'statefulsets', 'StatefulSet'),
  daemonsets: resource('apps', 'v1', 'daemonsets', 'DaemonSet'),
  controllerrevisions: resource('apps', 'v1', 'controllerrevisions', 'ControllerRevision'),
  jobs: resource('batch', 'v1', 'jobs', 'Job'),
  cronjobs: resource('batch', 'v1', 'cronjobs', 'CronJob'),
  storageversionmigrations: resource(
    'storagemigration.k8s.io',
    'v1',
    'storageversionmigrations',
    'StorageVersionMigration',
    false,
  ),
  certificatesigningrequests: resource(
    'certificates.k8s.io',
    'v1',
    'certificatesigningrequests',
    'CertificateSigningRequest',
    false,
  ),
} as const satisfies Record<string, Resource>
