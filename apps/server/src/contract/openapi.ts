import fastifySwagger, { type SwaggerTransform } from '@fastify/swagger'
import { API_BASE, CSRF_HEADER, problem, REFRESH_COOKIE } from '@wardline/protocol'
import { createJsonSchemaTransform } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { App } from '../http/app-type.ts'

/** Ways to show who one is: names of `securitySchemes`, all of a list together. */
const SIGNED_IN = ['accessToken', 'proof']
const BY_PROOF = ['proof']
const BY_COOKIE = ['refreshCookie', 'csrfToken', 'proof']

/** Calls that take no access token, or something else as well. A test holds all others to asking for one. */
const OTHER_WAYS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  '/about': [],
  '/auth/login': [BY_PROOF],
  '/auth/second-factor': [BY_PROOF],
  '/auth/set-up': [],
  '/auth/passkey': [BY_PROOF],
  '/auth/passkey/options': [BY_PROOF],
  '/auth/refresh': [BY_COOKIE],
  '/auth/logout': [SIGNED_IN, BY_COOKIE],
  '/oauth/token': [BY_PROOF],
  '/oauth/revoke': [BY_PROOF],
}

const json = (schema: object, description = 'Done') => ({
  description,
  content: { 'application/json': { schema } },
})
const ANY_OBJECT = { type: 'object' }
const NO_CONTENT = { 204: { type: 'null', description: 'Done' } }

/** What is answered by routes whose answers have no zod schema. */
const OTHER_ANSWERS: Readonly<Record<string, object>> = {
  '/healthz': { 200: json(ANY_OBJECT, 'The process lives') },
  '/readyz': { 200: json(ANY_OBJECT, 'It wants work'), 503: json(ANY_OBJECT, 'It does not; `checks` says why') },
  '/.well-known/jwks.json': {
    200: { description: 'RFC 7517', content: { 'application/jwk-set+json': { schema: ANY_OBJECT } } },
  },
  [`${API_BASE}/oauth/revoke`]: { 200: { description: 'RFC 7009', type: 'null' } },
  [`${API_BASE}/admin/audit/export`]: {
    200: {
      description: 'All events that match, streamed',
      content: {
        'text/csv': { schema: { type: 'string' } },
        'application/x-ndjson': { schema: { type: 'string' } },
        'application/fhir+ndjson': { schema: { type: 'string' } },
      },
    },
  },
}

/** No calls of the contract: the socket, which AsyncAPI describes, the pages, and these descriptions. */
const NO_CALLS = new Set(['/ws', '/', '/*', '/openapi.json', '/asyncapi.json', '/docs', '/docs/page.css'])

const { $schema: _, ...PROBLEM } = z.toJSONSchema(problem, { io: 'output' })
const REFUSAL = {
  description: 'Refused (RFC 9457)',
  content: { 'application/problem+json': { schema: PROBLEM } },
}

const ofSchemas: SwaggerTransform = createJsonSchemaTransform({ zodToJsonConfig: { unrepresentable: 'any' } })

/**
 * From here on every route that is registered is described by `app.swagger()` (OpenAPI 3.1), by the schemas that judge its calls:
 * what is written there is what is enforced.
 */
export async function describeCalls(app: App): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Wardline',
        version: '1',
        description:
          'Calls over HTTPS. Objects are strict: an unknown field is refused. A proof (RFC 9449) is good once; what changes something needs an Origin of the allowlist. The socket is described in /asyncapi.json.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          accessToken: { type: 'http', scheme: 'DPoP', description: '`Authorization: DPoP <access token>`' },
          proof: { type: 'apiKey', in: 'header', name: 'DPoP', description: 'A proof by the device’s key (RFC 9449)' },
          refreshCookie: { type: 'apiKey', in: 'cookie', name: REFRESH_COOKIE },
          csrfToken: { type: 'apiKey', in: 'header', name: CSRF_HEADER },
        },
      },
    },
    transform: (given) => {
      const { route, url } = given
      if (NO_CALLS.has(url)) return { url, schema: { hide: true } }
      const { response, ...asked } = ofSchemas({ ...given, schema: { ...given.schema } }).schema
      const action = route.config?.action
      return {
        url,
        schema: {
          ...asked,
          tags: [tagOf(url)],
          ...(action === undefined ? {} : { description: `In the audit: \`${action}\`.` }),
          security: waysOf(url).map((way) => Object.fromEntries(way.map((name) => [name, []]))),
          response: { ...(response ?? OTHER_ANSWERS[url] ?? NO_CONTENT), default: REFUSAL },
        },
      }
    },
  })
}

function waysOf(url: string): readonly (readonly string[])[] {
  if (!url.startsWith(`${API_BASE}/`)) return []
  return OTHER_WAYS[url.slice(API_BASE.length)] ?? [SIGNED_IN]
}

/** `/api/v1/admin/audit/events` belongs to `admin/audit`, `/api/v1/channels/:id` to `channels`. */
function tagOf(url: string): string {
  if (!url.startsWith(`${API_BASE}/`)) return 'outside the base'
  const [first = '', second = ''] = url.slice(API_BASE.length + 1).split('/')
  return first === 'admin' ? `${first}/${second}` : first
}
