/** The AdmissionReview that a webhook is sent, as JSON. */
import type { ServedResource } from '../../contract.ts'
import { requestOf } from '../match/request.ts'
import type { Versioned, View } from '../match/view.ts'

/** JSON of objects that several webhooks are sent: of one view, until it is changed. */
const texts = new WeakMap<Versioned, string>()

function objectsText(objects: Versioned): string {
  let text = texts.get(objects)
  if (text === undefined) {
    const { object, old } = objects
    text = `"object":${JSON.stringify(object)},"oldObject":${JSON.stringify(old)}`
    texts.set(objects, text)
  }
  return text
}

/** `matched`: the resource in whose version the webhook wants the objects. */
export function reviewText(version: 'v1' | 'v1beta1', uid: string, view: View, matched: ServedResource): string {
  // The objects' text is made once, and put in.
  const rest = JSON.stringify({ uid, ...requestOf(view, matched, matched) }).slice(1)
  const request = `{${objectsText(view.in(matched))},${rest}`
  return `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/${version}","request":${request}}`
}
