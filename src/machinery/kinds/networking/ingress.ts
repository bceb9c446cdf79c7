/** Ingress and IngressClass. */
import { child, forbidden, index, invalid, notSupported, required, tooLong } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isIp } from '../../ip.ts'
import {
  isDns1123Label,
  isDns1123Subdomain,
  isPathSegmentName,
  isPortName,
  isPortNumber,
  isWildcardDns1123Subdomain,
} from '../../names.ts'
import { dnsSubdomain, each, immutable, requiredName } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { entry, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'

const CLASS = 'kubernetes.io/ingress.class'
const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']
const NEVER_IN_PATHS = ['//', '/./', '/../', '%2f', '%2F']
const NEVER_AT_THE_END = ['/..', '/.']

/** What an update may leave wrong because it was wrong before. */
interface IngressRules {
  readonly anySecret: boolean
  readonly anyWildcardRule: boolean
}
const STRICT: IngressRules = { anySecret: false, anyWildcardRule: false }

function validateSpec(spec: Json, rules: IngressRules): FieldError[] {
  const out: Errors = []
  const list = listOf(spec.rules)
  if (list.length === 0 && !isSet(spec.defaultBackend))
    out.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'))
  if (isSet(spec.defaultBackend)) backend(spec.defaultBackend, 'spec.defaultBackend', out)
  list.forEach((rule, i) => ingressRule(rule, index('spec.rules', i), rules, out))
  listOf(spec.tls).forEach((tls, i) => tlsEntry(tls, index('spec.tls', i), rules, out))
  if (isSet(spec.ingressClassName)) dnsSubdomain(spec.ingressClassName, 'spec.ingressClassName', out)
  return out
}

function ingressRule(rule: Json, path: string, rules: IngressRules, out: Errors): void {
  const host: string = rule.host ?? ''
  const at = child(path, 'host')
  const wildcard = host.includes('*')
  if (host !== '') {
    if (isAddress(host)) out.push(invalid(at, host, 'must be a DNS name, not an IP address'))
    each(wildcard ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host), at, host, out)
  }
  if (!wildcard || !rules.anyWildcardRule) ruleValue(rule, path, out)
}

function ruleValue(rule: Json, path: string, out: Errors): void {
  if (!isSet(rule.http)) return
  const at = child(path, 'http.paths')
  const paths = listOf(rule.http.paths)
  if (paths.length === 0) out.push(required(at))
  paths.forEach((one, i) => httpPath(one, index(at, i), out))
}

function httpPath(one: Json, path: string, out: Errors): void {
  if (!isSet(one.pathType)) {
    out.push(required(child(path, 'pathType'), 'pathType must be specified'))
    return
  }
  const text: string = one.path ?? ''
  const at = child(path, 'path')
  if (!PATH_TYPES.includes(one.pathType)) out.push(notSupported(child(path, 'pathType'), one.pathType, PATH_TYPES))
  else if (one.pathType === 'ImplementationSpecific') {
    if (text !== '' && !text.startsWith('/')) out.push(invalid(at, text, 'must be an absolute path'))
  } else {
    if (!text.startsWith('/')) out.push(invalid(at, text, 'must be an absolute path'))
    for (const part of NEVER_IN_PATHS)
      if (text.includes(part)) out.push(invalid(at, text, `must not contain '${part}'`))
    for (const end of NEVER_AT_THE_END) if (text.endsWith(end)) out.push(invalid(at, text, `cannot end with '${end}'`))
  }
  backend(one.backend ?? {}, child(path, 'backend'), out)
}

function backend({ resource, service }: Json, path: string, out: Errors): void {
  if (isSet(resource) && isSet(service)) {
    out.push(invalid(path, '', 'cannot set both resource and service backends'))
  } else if (isSet(resource)) {
    localReference(resource, child(path, 'resource'), out)
  } else if (isSet(service)) {
    requiredName(service.name, child(path, 'service.name'), isDns1123Label, out)
    servicePort(service.port ?? {}, path, out)
  } else {
    out.push(invalid(path, '', 'resource or service backend is required'))
  }
}

function servicePort({ name = '', number = 0 }: Json, path: string, out: Errors): void {
  if (name !== '' && number !== 0) out.push(invalid(path, '', 'cannot set both port name & port number'))
  else if (name !== '') each(isPortName(name), child(path, 'service.port.name'), name, out)
  else if (number !== 0) each(isPortNumber(number), child(path, 'service.port.number'), number, out)
  else out.push(required(path, 'port name or number is required'))
}

function localReference(reference: Json, path: string, out: Errors): void {
  if (isSet(reference.apiGroup)) dnsSubdomain(reference.apiGroup, child(path, 'apiGroup'), out)
  requiredName(reference.kind, child(path, 'kind'), isPathSegmentName, out)
  requiredName(reference.name, child(path, 'name'), isPathSegmentName, out)
}

function tlsEntry(tls: Json, path: string, rules: IngressRules, out: Errors): void {
  listOf(tls.hosts).forEach((host: string, i) => {
    const wrong = host.includes('*') ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host)
    each(wrong, index(child(path, 'hosts'), i), host, out)
  })
  if (!rules.anySecret && tls.secretName) dnsSubdomain(tls.secretName, child(path, 'secretName'), out)
}

const isAddress = (text: string): boolean => isIp(text, false).length === 0

function wasWrong(spec: Json): IngressRules {
  return {
    anySecret: listOf(spec?.tls).some(({ secretName }) => secretName && isDns1123Subdomain(secretName).length > 0),
    anyWildcardRule: listOf(spec?.rules).some((rule) => {
      const out: Errors = []
      if (String(rule.host ?? '').includes('*')) ruleValue(rule, '', out)
      return out.length > 0
    }),
  }
}

export const ingressRules: KindRules = {
  defaults: () => {},
  prepareCreate: (ingress) => {
    ingress['status'] = { loadBalancer: {} }
  },
  prepareUpdate: (ingress, old) => {
    ingress['status'] = old['status']
  },
  validate: (ingress, old) => {
    const spec: Json = ingress['spec'] ?? {}
    const out = validateSpec(spec, old === undefined ? STRICT : wasWrong(old['spec']))
    const named: Json = entry(ingress.metadata.annotations, CLASS)
    if (old === undefined && isSet(named) && isSet(spec.ingressClassName) && named !== spec.ingressClassName) {
      out.push(invalid(`annotations.${CLASS}`, named, 'must match `ingressClassName` when both are specified'))
    }
    return out
  },
  validateStatus: (ingress, old) => {
    const out: Errors = []
    const before = new Set(listOf((old['status'] as Json)?.loadBalancer?.ingress).map(({ ip }) => ip))
    listOf((ingress['status'] as Json)?.loadBalancer?.ingress).forEach(({ ip, hostname }, i) => {
      const at = index('status.loadBalancer.ingress', i)
      if (ip && !before.has(ip)) each(isIp(ip), child(at, 'ip'), ip, out)
      if (!hostname) return
      each(isDns1123Subdomain(hostname), child(at, 'hostname'), hostname, out)
      if (isAddress(hostname))
        out.push(invalid(child(at, 'hostname'), hostname, 'must be a DNS name, not an IP address'))
    })
    return out
  },
  warnings: (ingress, old) =>
    old !== undefined ||
    entry(ingress.metadata.annotations, CLASS) === undefined ||
    isSet((ingress['spec'] as Json)?.ingressClassName)
      ? []
      : [`annotation ${JSON.stringify(CLASS)} is deprecated, please use 'spec.ingressClassName' instead`],
  createOnUpdate: false,
  generation: (ingress) => ingress['spec'],
}

const MAX_CONTROLLER = 250
const SCOPES = ['Cluster', 'Namespace']
const HTTP_PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/

/** `acme.io/foo` */
function domainPrefixedPath(text: string, path: string, out: Errors): void {
  const slash = text.indexOf('/')
  if (text === '') out.push(required(path))
  else if (slash <= 0 || slash === text.length - 1) {
    out.push(invalid(path, text, 'must be a domain-prefixed path (such as "acme.io/foo")'))
  } else {
    dnsSubdomain(text.slice(0, slash), path, out)
    const rest = text.slice(slash + 1)
    if (!HTTP_PATH.test(rest)) {
      out.push(invalid(path, rest, "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"))
    }
  }
}

function parameters(reference: Json, out: Errors): void {
  if (!isSet(reference)) return
  const path = 'spec.parameters'
  localReference(reference, path, out)
  const at = child(path, 'namespace')
  const { scope, namespace } = reference
  if (!isSet(scope)) out.push(required(child(path, 'scope')))
  else if (!SCOPES.includes(scope)) out.push(notSupported(child(path, 'scope'), scope, SCOPES))
  else if (scope === 'Cluster') {
    if (isSet(namespace)) out.push(forbidden(at, "`parameters.scope` is set to 'Cluster'"))
  } else if (!isSet(namespace)) out.push(required(at, "`parameters.scope` is set to 'Namespace'"))
  else each(isDns1123Label(namespace), at, namespace, out)
}

export const ingressClassRules: KindRules = {
  defaults: (ingressClass) => {
    const reference: Json = (ingressClass['spec'] as Json)?.parameters
    if (isSet(reference)) reference.scope ??= 'Cluster'
  },
  validate: (ingressClass) => {
    const out: Errors = []
    const spec: Json = ingressClass['spec'] ?? {}
    const controller: string = spec.controller ?? ''
    if (Buffer.byteLength(controller) > MAX_CONTROLLER) out.push(tooLong('spec.controller', MAX_CONTROLLER))
    domainPrefixedPath(controller, 'spec.controller', out)
    parameters(spec.parameters, out)
    return out
  },
  validateUpdate: (now, old) => {
    const out: Errors = []
    const [is, was] = [now, old].map((one) => ((one['spec'] as Json)?.controller ?? '') as string)
    immutable(is, was, 'spec.controller', out)
    return out
  },
  generation: (ingressClass) => ingressClass['spec'],
}
