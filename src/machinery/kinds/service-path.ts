/** The path under which a Service is called for the API server: of a webhook, of a conversion. */
import { invalid } from '../field.ts'
import { isDns1123Subdomain } from '../names.ts'
import type { Errors } from './checks.ts'

/** What is wrong with `text`, a URL's path, which is the field `path`. */
export function servicePath(text: string, path: string, out: Errors): void {
  if (text === '' || text === '/') return
  if (text === '//') {
    out.push(invalid(path, text, 'segment[0] may not be empty'))
    return
  }
  if (!text.startsWith('/')) out.push(invalid(path, text, "must start with a '/'"))
  // The first character is left out, whatever it is.
  const steps = text.slice(1).replace(/\/$/, '').split('/')
  steps.forEach((step, i) => {
    if (step === '') out.push(invalid(path, text, `segment[${i}] may not be empty`))
    else for (const why of isDns1123Subdomain(step)) out.push(invalid(path, text, `segment[${i}]: ${why}`))
  })
}
