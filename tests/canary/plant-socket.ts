import { randomUUID } from 'node:crypto'
import { type Person } from '../_util/person.ts'
import { openSocket, TestSocket } from '../_util/socket.ts'
import type { Canaries } from './canaries.ts'
import type { Haystack } from './haystack.ts'

/**
 * Types a canary into everything that the socket takes, with `nurse` and `physician` in `channel`. Gives what is searched: how
 * each socket was closed, and each refusal, without the request's id, which is the client's own and comes back to it.
 */
export async function plantOverSocket(
  nurse: Person,
  physician: Person,
  channel: string,
  canaries: Canaries,
): Promise<Haystack[]> {
  const found: Haystack[] = []
  const socket = await openSocket(nurse)
  const reader = await openSocket(physician)
  await reader.ask({ type: 'channel.subscribe', channel, after: 0 })
  const keep = (place: string, said: unknown) => {
    found.push({ place: `answer to ${place}`, bytes: Buffer.from(JSON.stringify(said)) })
  }

  // What belongs there: taken, and read by the other.
  const clientId = randomUUID()
  const body = `Potassium is ${canaries.plant('a message')}, é“\u{1f9ea}`
  const posted = await socket.ask({
    type: 'message.post',
    channel,
    clientId,
    body,
    priority: 'stat',
    ackRequired: true,
  })
  if (posted.type !== 'message.accepted') throw new Error(`not accepted: ${JSON.stringify(posted)}`)
  await reader.frame('channel.event', ({ event }) => event.type === 'message.posted' && String(event.body) === body)
  const { message } = posted
  const corrected = canaries.plant('a correction')
  for (const done of [
    await socket.ask({ type: 'message.correct', message, body: corrected }),
    await reader.ask({ type: 'message.acknowledge', message, response: 'will-do' }),
    await socket.ask({ type: 'message.recall', message, reason: 'wrong-patient' }),
  ]) {
    if (done.type !== 'done') throw new Error(`not done: ${JSON.stringify(done)}`)
  }
  await reader.frame('channel.event', ({ event }) => event.type === 'message.recalled')

  // What does not, and is refused by an error.
  const other = randomUUID()
  const refused: readonly (readonly [string, (canary: string) => object])[] = [
    ['another text under the same id', (text) => ({ type: 'message.post', channel, clientId, body: text })],
    [
      'a message to a channel that is none',
      (text) => ({ type: 'message.post', channel: other, clientId: other, body: text }),
    ],
    ['a correction of what is none', (text) => ({ type: 'message.correct', message: other, body: text })],
    ['a reason', (text) => ({ type: 'message.recall', message, reason: text })],
    ['a response', (text) => ({ type: 'message.acknowledge', message, response: text })],
    ['an unknown field', (text) => ({ type: 'message.post', channel, clientId: other, body: 'a', [text]: text })],
    [
      'a message with control characters',
      (text) => ({ type: 'message.post', channel, clientId: other, body: `\u0000${text}` }),
    ],
    [
      'a message that is too long',
      (text) => ({ type: 'message.post', channel, clientId: other, body: text.padEnd(17_000, 'a') }),
    ],
    ['a channel', (text) => ({ type: 'channel.subscribe', channel: text })],
    ['a client id', (text) => ({ type: 'message.post', channel, clientId: text, body: 'a' })],
    ['a mention', (text) => ({ type: 'message.post', channel, clientId: other, body: 'a', mentions: [text] })],
    ['a priority', (text) => ({ type: 'message.post', channel, clientId: other, body: 'a', priority: text })],
    ['an address', (text) => ({ type: 'message.post', channel, clientId: other, body: 'a', to: [text] })],
    ['a status', (text) => ({ type: 'presence.set', status: text })],
    [
      'a renewal',
      (text) => ({ type: 'session.renew', token: `${text}.${text}.${text}`, proof: `${text}.${text}.${text}` }),
    ],
  ]
  for (const [place, frame] of refused) {
    const each = place === 'a renewal' ? await openSocket(nurse) : socket
    const id = each.nextId()
    each.raw(JSON.stringify({ ...frame(canaries.plant(place)), id }))
    const said = await Promise.race([each.answer(id), each.closing()])
    keep(place, said)
    if ('type' in said && said.type !== 'error') throw new Error(`${place} was taken: ${said.type}`)
  }
  // The request's own id, in a request that is refused for something else.
  const id = canaries.plant('a request’s id')
  const { replyTo, ...rest } = (await socket.ask({ type: 'channel.subscribe', id, channel: other })) as {
    replyTo: string
  }
  if (replyTo !== id) throw new Error('an answer to nothing')
  keep('a request’s id', rest)

  // What ends the socket.
  const closing: readonly (readonly [string, (canary: string) => string | Buffer])[] = [
    ['a type of frame', (text) => JSON.stringify({ type: `${text}.post`, id: '1', [text]: text })],
    ['no JSON', (text) => `{"${text}`],
    ['bytes', (text) => Buffer.from(text)],
    ['a frame that is too large', (text) => JSON.stringify({ type: 'message.post', body: text.padEnd(70_000, 'a') })],
  ]
  for (const [place, frame] of closing) {
    const each = await openSocket(nurse)
    const data = frame(canaries.plant(place))
    each.raw(data, { binary: typeof data !== 'string' })
    keep(place, await each.closing())
  }
  for (const [place, frame] of [
    ...closing,
    [
      'credentials',
      (text: string) =>
        JSON.stringify({
          type: 'session.authenticate',
          id: '1',
          token: `${text}.${text}.${text}`,
          proof: `${text}.${text}.${text}`,
        }),
    ],
    [
      'an unknown field beside credentials',
      (text: string) =>
        JSON.stringify({ type: 'session.authenticate', id: text, token: 'a.b.c', proof: 'a.b.c', [text]: text }),
    ],
  ] as typeof closing) {
    const each = new TestSocket(nurse.server)
    await each.frame('session.challenge')
    const data = frame(canaries.plant(`${place}, before signing in`))
    each.raw(data, { binary: typeof data !== 'string' })
    keep(`${place}, before signing in`, [await each.closing(), each.received.slice(1)])
  }
  const leaving = await openSocket(nurse)
  leaving.ws.ping(canaries.plant('a ping'))
  leaving.ws.close(4000, canaries.plant('a reason to leave'))
  keep('a reason to leave', (await leaving.closing()).code)
  // Typing and presence go over the bus; then everything that waits has been written.
  socket.send({ type: 'typing.set', channel, active: true })
  socket.send({ type: 'receipt.mark', channel, delivered: posted.seq, read: posted.seq })
  await reader.frame('typing.changed')
  socket.cut()
  reader.cut()
  return found
}
