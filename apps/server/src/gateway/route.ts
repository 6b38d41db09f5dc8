import { randomUUID } from 'node:crypto'
import fastifyWebsocket, { type WebsocketPluginOptions } from '@fastify/websocket'
import { type SignedInLimits, SOCKET_PATH, SUBPROTOCOL } from '@wardline/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { WebSocket } from 'ws'
import { auditAddress, auditId, auditOrigin } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal, toProblem } from '../errors.ts'
import type { App } from '../http/app-type.ts'
import { addressOf, usedFromOf } from '../http/where.ts'
import { networkOf } from './admission.ts'
import { Connection, type Place } from './connection.ts'
import { CLOSE_TIMEOUT_MS, openLine, PlainSocket } from './line.ts'
import type { Peer } from './peer.ts'
import { refusalOfUpgrade } from './upgrade.ts'

/** Pieces of TCP that one frame may come in: ours come in one. */
const MAX_CHUNKS = 256

/** What is told to whom there is no place for now. */
const AGAIN = { retryAfterMs: CLOSE_TIMEOUT_MS }

const TOKEN_IN_URL =
  'Nothing is taken from the URL of a socket, least of all a token: connect without a query and send session.authenticate first.'

/** A socket that is being let in, and from whom. */
type Entering = Place & { readonly peer: Peer }

/**
 * The socket's route, and the only place that knows Fastify and the server of `ws`: checks the upgrade, ties the socket to a
 * `Connection` before anything is awaited, and knows nothing of what is said on it.
 */
export async function registerGateway(app: App, ctx: Context): Promise<void> {
  const { gateway, site, config } = ctx
  const entering = new WeakMap<FastifyRequest, Entering>()

  await app.register(fastifyWebsocket, {
    options: socketOptions(config.limits),
    // `ws` has sent its close frame when it reports an error, and the line listens too: the default would cut it short.
    errorHandler: () => undefined,
    preClose(done) {
      for (const connection of [...gateway.connections]) connection.end(1001, 'draining', 'finish')
      done()
    },
  })

  // The plugin lets a socket in on every route that is registered after it, and only then closes it.
  app.addHook('onRequest', (request, _reply, next) => {
    if (request.ws && request.routeOptions.url !== SOCKET_PATH) next(new Refusal('not-found', 'not-found'))
    else next()
  })

  app.get(
    SOCKET_PATH,
    {
      websocket: true,
      onRequest: (request, reply, next) => {
        const peer = peerOf(request)
        const settle = (refusal: Refusal | null) => {
          if (refusal === null) return next()
          gateway.strangers.refused(peer, refusal.reason)
          refusal.audited = true
          reply.header('connection', 'close')
          if (refusal.reason === 'token-in-url') explain(reply, refusal)
          else next(refusal)
        }
        const refusal = enter(request, peer)
        if (refusal === null) inTurn(request, peer, settle)
        else settle(refusal)
      },
    },
    (socket: WebSocket, request: FastifyRequest) => {
      const entered = entering.get(request)
      if (entered === undefined) return socket.terminate()
      const below = request.raw.socket
      const open = (events: Parameters<typeof openLine>[3]) => openLine(socket, below, gateway, events)
      return void new Connection(gateway, entered.peer, open, entered)
    },
  )

  /** A crowd that asks for sockets at one moment waits in line, as it does for its handshakes; who has waited for too long is told so. */
  function inTurn({ raw }: FastifyRequest, { address }: Peer, settle: (refusal: Refusal | null) => void): void {
    const network = networkOf(address)
    const leave = () => {
      gateway.upgrades.leaveOut(network, begin)
      clearTimeout(late)
      raw.socket.off('close', leave)
    }
    const begin = () => {
      leave()
      settle(gateway.draining ? new Refusal('unavailable', 'draining', AGAIN) : null)
    }
    const tire = () => {
      leave()
      settle(new Refusal('unavailable', 'overloaded', AGAIN))
    }
    // Real time, as that of the pace is.
    const late = setTimeout(tire, config.preAuth.authenticateMs)
    raw.socket.once('close', leave)
    gateway.upgrades.await(network, begin)
  }

  function enter(request: FastifyRequest, peer: Peer): Refusal | null {
    if (gateway.draining) return new Refusal('unavailable', 'draining', AGAIN)
    const heldMs = gateway.addresses.heldFor(peer.address)
    if (heldMs > 0) return new Refusal('rate-limited', 'held-off', { retryAfterMs: heldMs })
    const admitted = gateway.admission.enter(peer.address, () => request.raw.socket.destroy())
    if (!admitted.admitted) {
      const code = admitted.because === 'overloaded' ? 'unavailable' : 'rate-limited'
      return new Refusal(code, admitted.because, { retryAfterMs: admitted.retryAfterMs })
    }
    const { settled } = admitted
    const { headers, url } = request.raw
    const refusal = refusalOfUpgrade(
      {
        url: url ?? '',
        // RFC 6455 §4.2.1; `ws` would take HTTP/1.0, and drafts of the protocol.
        isUpgrade: request.ws && request.raw.httpVersion === '1.1' && headers['sec-websocket-version'] === '13',
        origin: headers.origin,
        key: headers['sec-websocket-key'],
        subprotocols: headers['sec-websocket-protocol'],
      },
      site,
    )
    if (refusal === null) {
      // Also where `ws` refuses the handshake itself and the handler is never called.
      request.raw.socket.once('close', settled)
      const { remoteAddress, remotePort } = request.raw.socket
      const known = () => gateway.door.known({ remoteAddress, remotePort })
      entering.set(request, { peer, settled, known })
    } else settled()
    return refusal
  }
}

type SocketOptions = NonNullable<WebsocketPluginOptions['options']>

/** The defaults of `ws` are made for trusted peers: 100 MiB a message, 16,384 fragments, compression where asked for. */
function socketOptions({ firstFrameBytes, fragments }: SignedInLimits): SocketOptions & { closeTimeout: number } {
  return {
    maxPayload: firstFrameBytes,
    maxFragments: fragments,
    maxBufferedChunks: MAX_CHUNKS,
    perMessageDeflate: false,
    autoPong: false,
    clientTracking: false,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: () => SUBPROTOCOL,
    // The types want the whole module of `ws`; its server calls the constructor and nothing else.
    WebSocket: PlainSocket as unknown as NonNullable<SocketOptions['WebSocket']>,
  }
}

function peerOf(request: FastifyRequest): Peer {
  return {
    connection: auditId(randomUUID()),
    address: auditAddress(addressOf(request)),
    origin: auditOrigin(request.headers.origin),
    from: usedFromOf(request),
    certificate: request.arrival.certificate,
  }
}

function explain(reply: FastifyReply, refusal: Refusal): void {
  const problem = { ...toProblem(refusal), title: TOKEN_IN_URL }
  void reply
    .code(problem.status)
    .type('application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(problem)
}
