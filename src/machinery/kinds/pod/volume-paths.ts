/** Warnings for files of one volume that are to stand in the same place, or in each other. */
import { goQuote } from '../../quote.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'

interface Place {
  readonly path: string
  /** Where it comes from, in projected volumes. */
  readonly source?: () => string
}

export function volumePathWarnings(volume: Json, out: string[]): void {
  const name = (): string => goQuote(volume.name ?? '')
  const tell = (what: string, places: readonly Place[]): void => {
    for (const text of overlaps(places)) out.push(`volume ${name()} (${what}): overlapping paths: ${text}`)
  }
  const { configMap, secret, downwardAPI, projected } = volume
  if (isSet(configMap?.items)) tell(`ConfigMap ${goQuote(configMap.name ?? '')}`, placesOf(configMap.items))
  if (isSet(secret?.items)) tell(`Secret ${goQuote(secret.secretName ?? '')}`, placesOf(secret.items))
  if (isSet(downwardAPI?.items)) tell('DownwardAPI', placesOf(downwardAPI.items))
  if (!isSet(projected)) return
  const places: Place[] = []
  for (const source of listOf(projected.sources)) {
    if (Object.values(source as object).every((value) => !isSet(value))) {
      out.push(`volume ${name()} (Projected) has no sources provided`)
    } else places.push(...projectedPlaces(source))
  }
  tell('Projected', places)
}

const placesOf = (items: Json, source?: Place['source']): Place[] =>
  listOf(items).map((item) => ({ path: String(item.path ?? ''), ...(source !== undefined && { source }) }))

function projectedPlaces(source: Json): Place[] {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source
  if (isSet(configMap?.items)) return placesOf(configMap.items, () => `ConfigMap ${goQuote(configMap.name ?? '')}`)
  if (isSet(secret?.items)) return placesOf(secret.items, () => `Secret ${goQuote(secret.name ?? '')}`)
  if (isSet(downwardAPI?.items)) return placesOf(downwardAPI.items, () => 'DownwardAPI')
  if (isSet(serviceAccountToken)) return placesOf([serviceAccountToken], () => 'ServiceAccountToken')
  if (isSet(clusterTrustBundle)) {
    const { name, signerName } = clusterTrustBundle
    return placesOf([clusterTrustBundle], () => `ClusterTrustBundle ${goQuote(name ?? signerName ?? '')}`)
  }
  if (!isSet(podCertificate)) return []
  const { certificateChainPath, keyPath, credentialBundlePath } = podCertificate
  return [
    ...(certificateChainPath ? [{ path: certificateChainPath, source: () => 'PodCertificate chain' }] : []),
    ...(keyPath ? [{ path: keyPath, source: () => 'PodCertificate key' }] : []),
    ...(credentialBundlePath ? [{ path: credentialBundlePath, source: () => 'PodCertificate credential bundle' }] : []),
  ]
}

/** Comparisons of one volume; what is beyond is not told. */
const MAX_PLACES = 1000

function overlaps(places: readonly Place[]): string[] {
  if (places.length < 2) return []
  const out: string[] = []
  const before: Place[] = []
  for (const place of places.slice(0, MAX_PLACES)) {
    const path = place.path.replace(/\/+$/, '')
    if (path !== '') {
      for (const other of before) {
        if (other.path !== '' && (isWithin(path, other.path) || isWithin(other.path, path)))
          out.push(`${shown({ ...place, path })} with ${shown(other)}`)
      }
    }
    before.push(path === place.path ? place : { ...place, path })
  }
  return out
}

const isWithin = (path: string, holder: string): boolean =>
  path.startsWith(holder) && (path.length === holder.length || path[holder.length] === '/')

const shown = ({ path, source }: Place): string =>
  source === undefined ? goQuote(path) : `${goQuote(path)} (${source()})`
