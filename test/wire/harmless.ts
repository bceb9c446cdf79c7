/** Differences between the servers that no client minds, with the reason. */

interface Harmless {
  readonly about: RegExp
  readonly reason: string
}

const LIST: readonly Harmless[] = [
  {
    about: /map-00 application\/vnd\.kubernetes\.protobuf, application\/json$/,
    reason: 'who takes both gets JSON, which is what is stored',
  },
  {
    about: /\/openapi\/v3(?:\/apis\/none\/v1)?(?: text\/html)?$|\/openapi\/v2 text\/html$/,
    reason: 'the index says what it is and has an ETag; refusals are Status',
  },
  { about: /as=PartialObjectMetadataList;.*$/, reason: 'a watch for lists ends at once upstream, without an event' },
  { about: /\/api\/v1\/watch\/$/, reason: 'an internal error upstream, a bad request here' },
  {
    about: /sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=999999999 /,
    reason: 'refused at once, not by an event after three seconds: reflectors know both',
  },
  { about: /\/componentstatuses\?/, reason: 'a list of what is asked at other ports, deprecated' },
  {
    about: /\/(?:services|ipaddresses)\?limit=1 /,
    reason: 'the service of the API server itself is made by a control loop, which does not run in this test',
  },
  { about: /apiservices\/v1\.apps application\/vnd/, reason: 'managed fields of what the server makes for itself' },
  { about: /\/leases\?limit=1 /, reason: 'upstream has one for each API server' },
  {
    about: /resourceVersion=999999999&(?:limit=2|resourceVersionMatch=Exact)/,
    reason: 'etcd gives no time to wait for; the cache, which is passed by in this test, does',
  },
  { about: /PATCH .*merge-patch/, reason: 'which of two readers of a broken patch sees it first' },
  { about: /DELETE .*dryRun=All&limit=2/, reason: 'the answer is what was deleted, without a token to go on' },
]

/** Why a difference of this request is harmless; undefined: it is not. */
export function harmless(what: string): string | undefined {
  const watched = what.includes('watch=true')
  return LIST.find(({ about, reason }) => about.test(what) && (watched || !reason.startsWith('a watch')))?.reason
}
