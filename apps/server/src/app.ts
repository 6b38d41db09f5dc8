import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import fastifyCookie from '@fastify/cookie'
import { API_BASE, isPlainJson, SOCKET_PATH } from '@wardline/protocol'
import { fastify } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { registerAlertRoutes } from './alerts/routes.ts'
import { registerAuditReviewRoutes } from './audit/review-routes.ts'
import { registerAuditRoutes } from './audit/routes.ts'
import { registerCareTeamRoutes } from './care-team/routes.ts'
import { registerChannelRoutes } from './channels/routes.ts'
import { registerConnectionRoutes } from './connections/routes.ts'
import type { Context } from './context.ts'
import { describeCalls } from './contract/openapi.ts'
import { registerContractRoutes } from './contract/routes.ts'
import { registerDeviceRoutes } from './devices/routes.ts'
import { registerDirectoryRoutes } from './directory/routes.ts'
import { Refusal } from './errors.ts'
import { registerFactorRoutes } from './factors/routes.ts'
import { registerGateway } from './gateway/route.ts'
import { isProbe, registerHealthRoutes } from './health/routes.ts'
import type { App } from './http/app-type.ts'
import { requireAuthentication } from './http/authenticated.ts'
import { endWithServer } from './http/connections.ts'
import { securityHeaders } from './http/headers.ts'
import {
  hangUp,
  hasPlainHead,
  isUnsafe,
  onClientError,
  refusalOfRequest,
  refuseBare,
  refuseUnseen,
  sendProblem,
} from './http/problems.ts'
import { RefusalAudit } from './http/refusal-audit.ts'
import { logAnswers } from './http/request-log.ts'
import { registerStaticWeb, sendPage, wantsPage } from './http/static-web.ts'
import { limitStrangers, losePatience, refusalOfUnrouted } from './http/stranger-limits.ts'
import { pathOf } from './http/where.ts'
import { registerKeyAdminRoutes, registerKeyRoutes } from './keys/routes.ts'
import { boundPipelines } from './limits/pipelines.ts'
import { registerMessageRoutes } from './messages/routes.ts'
import { registerOAuthRoutes } from './oauth/routes.ts'
import { registerPatientRoutes } from './patients/routes.ts'
import { registerRoleRoutes } from './roles/routes.ts'
import { registerServiceRoutes } from './services/routes.ts'
import { registerSessionAdminRoutes } from './sessions/admin-routes.ts'
import { registerLockRoutes } from './sessions/lock-routes.ts'
import { registerSessionRoutes, registerSignInRoutes } from './sessions/routes.ts'
import { registerSettingsRoutes } from './tenants/routes.ts'
import { certificateOptions, type ServerCertificate } from './tls/certificates.ts'
import { TLS_OPTIONS } from './tls/options.ts'
import { registerUserRoutes } from './users/routes.ts'
import { registerSetUpRoutes } from './users/set-up-routes.ts'

const HEADER_COUNT = 100
/** Whether requests have come to their end in time is looked after at this pace. */
const CHECK_MS = 2_000
/** Longer than a load balancer keeps its own end open (60 s is common), so that it is never we who hang up on a request. */
const KEEP_ALIVE_MS = 65_000

/**
 * The HTTP server, with everything that it answers, in order. Deny by default: what is registered in the authenticated scope
 * is asked for by nobody unknown, and what is in none is not there.
 */
export async function createApp(ctx: Context, certificate: ServerCertificate): Promise<App> {
  const { config, site, log, proxies } = ctx
  const headers = () => securityHeaders(site, config.demo)
  const refusalOf = (request: IncomingMessage) => refusalOfUnrouted(proxies.arrivalOf(request).address, ctx)
  const app: App = fastify({
    https: {
      ...TLS_OPTIONS,
      ...certificateOptions(certificate),
      maxHeaderSize: config.preAuth.headBytes,
      connectionsCheckingInterval: CHECK_MS,
      handshakeTimeout: config.preAuth.handshakeMs,
      headersTimeout: config.preAuth.headersMs,
      requestTimeout: config.preAuth.requestMs,
      // Node's own answer to a request without a host has no form; hasPlainHead() looks.
      requireHostHeader: false,
      shouldUpgradeCallback: isForSocket,
    },
    logger: false,
    genReqId: () => randomUUID(),
    bodyLimit: config.preAuth.requestBytes,
    requestTimeout: config.preAuth.requestMs,
    // Of a request that has been read Node asks no more when its answer is; a socket is its own matter (gateway/health.ts).
    connectionTimeout: config.preAuth.stallMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // While it closes, what is under way is still answered, and in the one form of ours.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 128 },
    clientErrorHandler: (error, socket) => onClientError(error, socket, { ...ctx, headers: headers() }),
    frameworkErrors: (_error, { raw }, reply) => {
      reply.headers(headers()).header('connection', 'close')
      sendProblem(reply, refusalOf(raw))
    },
  }).withTypeProvider<ZodTypeProvider>()
  app.server.maxHeadersCount = HEADER_COUNT
  // Node answers these by itself otherwise, or not at all.
  const refuse = (request: IncomingMessage, response: ServerResponse) =>
    refuseUnseen(response, refusalOf(request), headers())
  app.server.on('checkExpectation', refuse)
  app.server.on('connect', (request: IncomingMessage) => refuseBare(request.socket, refusalOf(request), headers()))
  boundPipelines(app.server, {
    refuse,
    onDropped: (request) => ctx.gateway.addresses.fault(proxies.arrivalOf(request).address),
  })
  endRefusedUpgrades(app)
  // First of all hooks: who is refused by the next bears them too.
  app.addHook('onRequest', (_request, reply, next) => {
    reply.headers(headers())
    next()
  })
  limitStrangers(app, ctx)
  // After those limits, so that it hears of connections that wait for their handshake.
  endWithServer(app)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  acceptJsonAlone(app)
  await app.register(fastifyCookie)
  app.decorateRequest('caller', null)
  app.decorateRequest('arrival', {
    getter() {
      return proxies.arrivalOf(this.raw)
    },
  })

  const audit = new RefusalAudit(ctx)
  app.addHook('onClose', () => audit.close())
  app.addHook('onRequest', async (request, reply) => {
    if (!hasPlainHead(request.raw)) {
      reply.header('connection', 'close')
      throw new Refusal('invalid', 'malformed')
    }
    if (!request.arrival.secure) {
      // whoever types the address without https is shown the way; anything else has said its secret aloud already.
      if (wantsPage(app, request)) return reply.redirect(site.url(pathOf(request)), 308)
      throw new Refusal('forbidden', 'cleartext')
    }
    if (config.clientCertificates === 'required' && request.arrival.certificate === null && !isProbe(request)) {
      throw new Refusal('forbidden', 'certificate')
    }
    if (isUnsafe(request) && !site.isAllowedOrigin(request.headers.origin)) throw new Refusal('forbidden', 'origin')
  })
  app.addHook('onResponse', logAnswers(log))
  app.addHook('onResponse', async ({ method, routeOptions }, { statusCode: status, elapsedTime: ms }) => {
    ctx.metrics.answered({ method, route: routeOptions.url ?? 'none', status, ms })
  })
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOfRequest(error)
    if (refusal.code === 'internal') log.error('request.failed', { requestId: request.id, error: refusal.cause })
    audit.note(request, refusal)
    losePatience(request, refusal, ctx)
    sendProblem(reply, refusal)
  })
  app.setNotFoundHandler((request, reply) => {
    if (wantsPage(app, request)) {
      sendPage(reply)
      return
    }
    const refusal = new Refusal('not-found', 'not-found')
    audit.note(request, refusal)
    losePatience(request, refusal, ctx)
    sendProblem(reply, refusal)
  })

  await describeCalls(app)
  registerHealthRoutes(app, ctx)
  registerKeyRoutes(app, ctx)
  registerContractRoutes(app, site)
  await app.register(async (anyone: App) => registerSignInRoutes(anyone, ctx), { prefix: API_BASE })
  await app.register(async (anyone: App) => registerSetUpRoutes(anyone, ctx), { prefix: API_BASE })
  await app.register(async (scope: App) => registerOAuthRoutes(scope, ctx), { prefix: API_BASE })
  await app.register(async (api: App) => registerAuthenticated(api, ctx), { prefix: API_BASE })
  await registerGateway(app, ctx)
  await registerStaticWeb(app, ctx.webRoot)
  return app
}

/**
 * Whether a request may become a socket. Of any other, Upgrade is not looked at (RFC 9110 §7.8): Node would take its parser away
 * before anybody has decided, and with it every limit of time.
 */
function isForSocket({ method, url, headers }: IncomingMessage): boolean {
  return method === 'GET' && url?.split('?', 1)[0] === SOCKET_PATH && headers.upgrade?.toLowerCase() === 'websocket'
}

/**
 * Node takes its parser and every limit of time away from a connection on which a socket is asked for, whatever comes of it. Where nothing
 * does, whoever refused it and wherever, it is ended here, or it would be open for as long as its client likes.
 */
function endRefusedUpgrades(app: App): void {
  const asked = new WeakSet<IncomingMessage>()
  app.server.prependListener('upgrade', (request: IncomingMessage) => void asked.add(request))
  app.addHook('onResponse', ({ raw }, _reply, done) => {
    if (asked.has(raw)) hangUp(raw.socket)
    done()
  })
}

function registerAuthenticated(api: App, ctx: Context): void {
  requireAuthentication(api, ctx)
  registerSessionRoutes(api, ctx)
  registerFactorRoutes(api, ctx)
  registerPatientRoutes(api, ctx)
  registerChannelRoutes(api, ctx)
  registerMessageRoutes(api, ctx)
  registerDirectoryRoutes(api, ctx)
  registerUserRoutes(api, ctx)
  registerRoleRoutes(api, ctx)
  registerCareTeamRoutes(api, ctx)
  registerSessionAdminRoutes(api, ctx)
  registerConnectionRoutes(api, ctx)
  registerLockRoutes(api, ctx)
  registerDeviceRoutes(api, ctx)
  registerServiceRoutes(api, ctx)
  registerSettingsRoutes(api, ctx)
  registerKeyAdminRoutes(api, ctx)
  registerAuditRoutes(api, ctx)
  registerAlertRoutes(api, ctx)
  registerAuditReviewRoutes(api, ctx)
}

/** Anything but JSON is refused before it is read: forms and plain text are what another site's page can send (ASVS 3.5.1). */
function acceptJsonAlone(app: App): void {
  app.removeAllContentTypeParsers()
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const text = textOf(body)
    if (text === null) done(new Refusal('invalid', 'encoding'))
    else if (!isPlainJson(text)) done(new Refusal('invalid', 'not-json'))
    else void parseJson(request, text, done)
  })
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Null for what is no UTF-8 (RFC 8259 §8.1): replacing bytes would make two passwords one. */
function textOf(body: Buffer): string | null {
  try {
    return utf8.decode(body)
  } catch {
    return null
  }
}
