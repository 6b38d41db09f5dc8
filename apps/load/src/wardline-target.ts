import { randomUUID } from 'node:crypto'
import { createProofs, createWardline, memoryKeyStore, ServerClock, type Wardline } from '@wardline/client/node'
import { SOCKET_PATH, SUBPROTOCOL } from '@wardline/protocol'
import WebSocket from 'ws'
import { inParallel } from './in-parallel.ts'
import type { Layout, Peer, Target } from './target.ts'
import { PASSWORD, TENANT, WardlineServer } from './wardline-server.ts'

/** No more people than this sign in; with more sockets each has several, in different channels. */
const MAX_PEOPLE = 200

export type Person = {
  readonly sdk: Wardline
  readonly proofs: ReturnType<typeof createProofs>
  readonly channels: Map<string, string>
}

/**
 * The product as a target: TLS, signed in, authorised, encrypted at rest, durable, audited. People sign in through the SDK;
 * the sockets under load are bare, so that the generator measures the server and not the client.
 */
export function wardlineTarget(
  over: {
    readonly name?: string
    readonly env?: Readonly<Record<string, string>>
    readonly cores?: 'one' | 'all'
  } = {},
): Target & { readonly dataDir: string; readonly server: WardlineServer; readonly sockets: readonly WebSocket[] } {
  const server = new WardlineServer(over.env, over.cores)
  const people = new Map<string, Person>()
  const sockets: WebSocket[] = []
  return {
    name: over.name ?? 'Wardline: TLS 1.3, authorised, encrypted, durable, audited',
    dataDir: server.dataDir,
    server,
    sockets,
    async open({ channels, peersPerChannel }: Layout) {
      await server.start()
      const { names, byMrn } = await server.populate(
        Math.min(MAX_PEOPLE, channels * peersPerChannel),
        channels,
        peersPerChannel,
      )
      await inParallel(names, async (name) => people.set(name, await signIn(server, name)))
      const peers: Peer[] = []
      for (const [mrn, { team, channel }] of byMrn) {
        for (const name of team) {
          const person = people.get(name) as Person
          const { socket, peer } = await connect(server, person, person.channels.get(mrn) as string, channel)
          sockets.push(socket)
          peers.push(peer)
        }
      }
      return peers
    },
    processes: () => server.processes(),
    async close() {
      for (const socket of sockets.splice(0)) socket.terminate()
      for (const { sdk } of people.values()) sdk.close()
      await server.stop()
    },
  }
}

export async function signIn(server: WardlineServer, username: string): Promise<Person> {
  const proofs = createProofs(memoryKeyStore(), new ServerClock(Date.now))
  // The SDK's own line is never opened: this transport does nothing.
  const silent = () => ({ send: () => undefined, close: () => undefined })
  const sdk = createWardline({ url: server.url, ca: server.ca, proofs, transport: silent })
  const result = await sdk.signIn({ tenant: TENANT, username, password: PASSWORD })
  if (result.status !== 'signed-in') throw new Error(`${username} is asked for a second factor`)
  const channels = new Map<string, string>()
  for (let cursor: string | undefined; ; ) {
    const page = await sdk.api.channels({ limit: 200, ...(cursor ? { cursor } : {}) })
    for (const { id, patient } of page.items) if (patient) channels.set(patient.mrn, id)
    if (page.next === null) break
    cursor = page.next
  }
  return { sdk, proofs, channels }
}

/** One socket, authenticated and live in its channel; `seq` is the last that it has of it. */
export type Connected = { readonly socket: WebSocket; readonly peer: Peer; readonly seq: () => number }

/** @param after the last sequence that its person has already; the next one must follow it */
export function connect(
  server: Pick<WardlineServer, 'url' | 'ca'>,
  { sdk, proofs }: Person,
  channelId: string,
  channel: number,
  after = 0,
): Promise<Connected> {
  const url = server.url.replace('https:', 'wss:') + SOCKET_PATH
  const socket = new WebSocket(url, SUBPROTOCOL, { ca: server.ca, origin: server.url, perMessageDeflate: false })
  const prefix = `{"type":"message.post","channel":"${channelId}"`
  let last = after
  const peer: Peer = {
    channel,
    post(tag, body) {
      const text = `${tag} ${body}`.slice(0, body.length)
      socket.send(`${prefix},"id":"${tag}","clientId":"${randomUUID()}","body":"${text}"}`)
    },
    onAccepted: () => undefined,
    onDelivered: () => undefined,
  }
  const prove = async (type: string, nonce: string) => {
    const token = await sdk.session.accessToken()
    socket.send(JSON.stringify({ type, id: 'proof', token, proof: await proofs.socket(url, token, nonce) }))
  }
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', (code, reason) => reject(new Error(`a socket closed with ${code} ${reason.toString()}`)))
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame
      switch (frame.type) {
        case 'channel.event':
          if (frame.seq !== last + 1) throw new Error(`sequence ${frame.seq} came after ${last}`)
          last = frame.seq
          if (frame.event.type === 'message.posted') peer.onDelivered(Number.parseInt(frame.event.body, 10))
          break
        case 'message.accepted':
          peer.onAccepted(Number(frame.replyTo))
          break
        case 'session.challenge':
          prove('session.authenticate', frame.nonce).catch(reject)
          break
        case 'session.renew-required':
          prove('session.renew', frame.nonce).catch(reject)
          break
        case 'session.authenticated':
          socket.send(JSON.stringify({ type: 'channel.subscribe', id: 'live', channel: channelId, after }))
          break
        case 'channel.live':
          resolve({ socket, peer, seq: () => last })
          break
        case 'error':
          throw new Error(`refused: ${frame.code}`)
      }
    })
  })
}

type Frame =
  | { type: 'channel.event'; seq: number; event: { type: string; body: string } }
  | { type: 'message.accepted'; replyTo: string }
  | { type: 'session.challenge' | 'session.renew-required'; nonce: string }
  | { type: 'session.authenticated' | 'channel.live' }
  | { type: 'error'; code: string }
