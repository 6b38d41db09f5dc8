import { problem } from '@wardline/protocol'
import type { MatrixCase } from '../../packages/policy/src/matrix/index.ts'
import { claimsOf, type Person } from '../_util/person.ts'
import type { TestServer } from '../_util/server.ts'
import { openSocket, TestSocket } from '../_util/socket.ts'
import type { Call } from './calls.ts'
import type { Answer } from './cells.ts'
import type { Frame } from './frames.ts'
import type { Asking } from './world.ts'

/** Asks by a call. What policy allows is `allowed`, however it ends after that. */
export async function askOverHttp(asking: Asking, { subject }: MatrixCase, call: Call): Promise<Answer> {
  const [method = '', route = ''] = call.route.split(' ')
  const id = call.id?.(asking) ?? asking.id(subject)
  const path = route.replace(/:\w+/, id) + (call.query === undefined ? '' : `?${call.query}`)
  await keepCurrent(asking.person)
  const { status, body, text } = await asking.person.call(method, path, { body: call.body?.(asking) })
  if (status >= 400) {
    const { code } = problem.parse(body)
    return call.beyond?.includes(code) === true ? 'allowed' : code
  }
  return call.lists === true && !text.includes(`"id":"${id}"`) ? 'not-found' : 'allowed'
}

/** A browser fetches another token before one runs out: on a slow machine the matrix takes longer than that. */
async function keepCurrent(person: Person): Promise<void> {
  const leftMs = Number(claimsOf(person.token)['exp']) * 1000 - person.server.clock.now()
  if (leftMs < 60_000) await person.refresh()
}

/** The sockets of those who ask: each opened once, as somebody would who is at work. */
export class Askers {
  readonly #server: TestServer
  readonly #sockets = new Map<string, Promise<TestSocket>>()

  constructor(server: TestServer) {
    this.#server = server
  }

  /** Asks by a frame. Who cannot sign in on a socket is told so there, whatever they would have asked. */
  async ask(asking: Asking, { subject }: MatrixCase, { frame, unanswered }: Frame): Promise<Answer> {
    if (asking.standing === 'disabled') return this.#refusedAtOpening(asking)
    // A password was changed in the meantime: a browser has fetched another token since.
    const opened = this.#sockets.get(asking.who) ?? asking.person.refresh().then(() => openSocket(asking.person))
    this.#sockets.set(asking.who, opened)
    const socket = await opened
    const sent = frame(asking.id(subject))
    if (unanswered === true) return this.#askInOrder(asking, socket, sent)
    const answer = await socket.ask(sent)
    return answer.type === 'error' ? answer.code : 'allowed'
  }

  /** All is closed: what was counted and not yet written of refusals is written now. */
  async close(): Promise<void> {
    for (const socket of await Promise.all(this.#sockets.values())) socket.cut()
  }

  /**
   * A frame that is not answered is refused at once where its channel is known to the node, and so before the answer to the next frame.
   * A channel that is not there is looked for first: the refusal is waited for, and comes or the test fails.
   */
  async #askInOrder(
    { person, standing }: Asking,
    socket: TestSocket,
    sent: ReturnType<Frame['frame']>,
  ): Promise<Answer> {
    const before = socket.received.length
    const refusal = () => {
      const found = socket.received.slice(before).find((each) => each.type === 'error' && each.replyTo === undefined)
      return found?.type === 'error' ? found.code : undefined
    }
    if ('channel' in sent) await this.#server.ctx.gateway.channels.load(person.user.tenant.id, sent.channel)
    socket.send(sent)
    if (standing === 'other-tenant') return socket.until(refusal, 'a refusal')
    await socket.ask({ type: 'session.ping' })
    return refusal() ?? 'allowed'
  }

  async #refusedAtOpening({ who, person }: Asking): Promise<Answer> {
    const socket = this.#sockets.get(who) ?? this.#closed(person)
    this.#sockets.set(who, socket)
    return (await socket).closed?.code === 4401 ? 'unauthenticated' : 'allowed'
  }

  async #closed(person: Asking['person']): Promise<TestSocket> {
    const socket = new TestSocket(this.#server)
    const { nonce } = await socket.frame('session.challenge')
    socket.send({ type: 'session.authenticate', token: person.token, proof: person.socketProof(nonce) })
    await socket.closing()
    return socket
  }
}
