import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkAuthentication, readAuthentication } from './config.ts'

const issuer = { url: 'https://a.example', audiences: ['one'] }
const claimMappings = { username: { claim: 'sub', prefix: '' } }
const jwt = (more: object) => ({ jwt: [{ issuer, claimMappings, ...more }] })

test('what is good is compiled', () => {
  const checked = readAuthentication(`apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer: {url: "https://a.example", audiences: [one]}
  claimMappings: {username: {expression: claims.sub}}
  userValidationRules: [{expression: "user.username != ''"}]
anonymous: {enabled: false}
`)
  assert.deepEqual([...checked.programs.keys()], ['claims claims.sub', "user user.username != ''"])
})

test('what is not is refused in upstream’s words', () => {
  const cases: [object, string | RegExp][] = [
    [jwt({ issuer: { ...issuer, url: '' } }), 'jwt[0].issuer.url: Required value'],
    [
      jwt({ issuer: { ...issuer, url: 'http://a' } }),
      'jwt[0].issuer.url: Invalid value: "http://a": URL scheme must be https',
    ],
    [
      jwt({ issuer: { ...issuer, url: 'https://own' } }),
      'jwt[0].issuer.url: Invalid value: "https://own": URL must not overlap with disallowed issuers: [https://own]',
    ],
    [jwt({ issuer: { ...issuer, discoveryURL: 'https://a.example/' } }), /discoveryURL must be different from URL$/],
    [
      jwt({ issuer: { ...issuer, audiences: [] } }),
      'jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required',
    ],
    [
      jwt({ issuer: { ...issuer, audiences: ['a', 'b'] } }),
      'jwt[0].issuer.audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be MatchAny for multiple audiences',
    ],
    [
      jwt({ issuer: { ...issuer, certificateAuthority: 'x' } }),
      /^jwt\[0\]\.issuer\.certificateAuthority: Invalid value: "<omitted>": /,
    ],
    [jwt({ claimMappings: {} }), 'jwt[0].claimMappings.username: Required value: claim or expression is required'],
    [
      jwt({ claimMappings: { username: { claim: 'sub' } } }),
      'jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing',
    ],
    [
      jwt({ claimMappings: { username: { expression: 'claims.email' } } }),
      /^jwt\[0\]\.claimMappings\.username\.expression: Invalid value: "claims\.email": claims\.email_verified must be used/,
    ],
    [
      jwt({ claimMappings: { username: { expression: 'claims.' } } }),
      /^jwt\[0\]\.claimMappings\.username\.expression: Invalid value: "claims\.": compilation failed: ERROR: <input>:1:8: Syntax error/,
    ],
    [
      jwt({ claimMappings: { ...claimMappings, extra: [{ key: 'kubernetes.io/x', valueExpression: "'a'" }] } }),
      /are reserved for Kubernetes use$/,
    ],
    [
      jwt({ claimMappings: { ...claimMappings, extra: [{ key: 'Example.com/x', valueExpression: "'a'" }] } }),
      /must be lowercase/,
    ],
    [
      jwt({ claimValidationRules: [{ expression: 'claims.sub' }] }),
      'jwt[0].claimValidationRules[0].expression: Invalid value: "claims.sub": must evaluate to bool',
    ],
    [
      jwt({ claimValidationRules: [{ claim: 'a', message: 'b' }] }),
      'jwt[0].claimValidationRules[0].message: Invalid value: "b": may not be specified when claim is set',
    ],
    [jwt({ userValidationRules: [{}] }), 'jwt[0].userValidationRules[0].expression: Required value'],
    [jwt({ userValidationRules: [{ expression: 'user.nope == 1' }] }), /undefined field 'nope'/],
    [{ jwt: [...jwt({}).jwt, ...jwt({}).jwt] }, 'jwt[1].issuer.url: Duplicate value: "https://a.example"'],
    [
      { anonymous: { enabled: false, conditions: [{ path: '/livez' }] } },
      /enabled should be set to true when conditions are defined$/,
    ],
    [{ jwt: 'x' }, 'jwt: must be a list'],
    [jwt({ nope: 1 }), 'strict decoding error: unknown field "jwt[0].nope"'],
    [JSON.parse('{"__proto__": {"jwt": []}}') as object, 'strict decoding error: unknown field "__proto__"'],
  ]
  for (const [config, message] of cases)
    assert.throws(() => checkAuthentication(config, ['https://own']), { name: 'AuthenticationConfigError', message })
  assert.throws(() => readAuthentication('kind: X'), { name: 'AuthenticationConfigError' })
})
