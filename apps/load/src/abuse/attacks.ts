import { randomBytes } from 'node:crypto'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { SOCKET_PATH, SUBPROTOCOL } from '@wardline/protocol'

/** Where an attack goes to, and from which loopback address: each comes from one of its own. */
export type Aim = { readonly url: string; readonly ca: string; readonly from: string }

/** What became of an attack's connections: those that were tried, and those of them that the server ended. */
export type Tally = { tried: number; ended: number }

export type Attack = {
  readonly name: string
  /** Connections at `--scale 1`. */
  readonly connections: number
  /** Does harm on one connection, once it is there. */
  readonly harm: (socket: Socket, until: AbortSignal) => void
  readonly as: 'tcp' | 'tls' | 'socket'
  /** Another connection takes the place of one that was ended, so many milliseconds later. */
  readonly againMs?: number
}

const nothing = () => undefined
const masked = (opcode: number, payload: Buffer, fin = true) =>
  Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload])
const PING = masked(9, Buffer.alloc(100))
const FRAGMENT = masked(0, Buffer.from('a'), false)
const BAD_TOKEN = masked(1, Buffer.from('{"type":"session.authenticate","id":"1","token":"a.b.c","proof":"a.b.c"}'))
const HALF_A_FRAME = BAD_TOKEN.subarray(0, 20)

/** Issue "a gateway that shrugs": each kind of harm that a stranger can do without being anybody. */
export const ATTACKS: readonly Attack[] = [
  { name: 'silent connections', as: 'tcp', connections: 10_000, harm: nothing },
  { name: 'silent after TLS', as: 'tls', connections: 1_500, harm: nothing },
  { name: 'silent sockets', as: 'socket', connections: 1_500, harm: nothing },
  {
    name: 'headers a byte at a time',
    as: 'tls',
    connections: 500,
    harm: (socket, until) => {
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
      everyMs(500, until, socket, () => socket.write('a'))
    },
  },
  {
    name: 'one-byte fragments',
    as: 'socket',
    connections: 100,
    againMs: 50,
    harm: (socket) => {
      socket.write(masked(1, Buffer.from('{'), false))
      for (let each = 0; each < 200; each += 1) socket.write(FRAGMENT)
    },
  },
  {
    name: 'pings',
    as: 'socket',
    connections: 100,
    againMs: 50,
    harm: (socket) => {
      for (let each = 0; each < 200; each += 1) socket.write(PING)
    },
  },
  {
    name: 'half-open closes',
    as: 'socket',
    connections: 500,
    againMs: 200,
    harm: (socket) => socket.end(HALF_A_FRAME),
  },
  { name: 'bad first frames', as: 'socket', connections: 100, againMs: 20, harm: (socket) => socket.write(BAD_TOKEN) },
  {
    name: 'noise in place of TLS',
    as: 'tcp',
    connections: 100,
    againMs: 20,
    harm: (socket) => socket.write(randomBytes(2_000)),
  },
  { name: 'come and gone', as: 'tcp', connections: 200, againMs: 5, harm: (socket) => socket.resetAndDestroy() },
]

/** Connections that are begun at once; the next ones follow as these are there. */
const AT_ONCE = 100

/** Opens an attack's connections and keeps at it until `until` is aborted; then lets go of all of them. */
export async function attack(it: Attack, aim: Aim, count: number, until: AbortSignal): Promise<Tally> {
  const tally: Tally = { tried: 0, ended: 0 }
  const open = new Set<Socket>()
  const one = async (): Promise<void> => {
    while (!until.aborted) {
      tally.tried += 1
      const socket = reach(it.as, aim)
      open.add(socket)
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
      socket.on('error', nothing)
      const there = await Promise.race([ready(it.as, socket, aim), closed.then(() => false)])
      if (there) it.harm(socket, until)
      await Promise.race([closed, aborted(until)])
      open.delete(socket)
      if (!until.aborted) tally.ended += 1
      socket.destroy()
      if (it.againMs === undefined) return
      await pause(it.againMs)
    }
  }
  const running: Promise<void>[] = []
  for (let begun = 0; begun < count && !until.aborted; begun += AT_ONCE) {
    for (let each = begun; each < Math.min(count, begun + AT_ONCE); each += 1) running.push(one())
    await pause(20)
  }
  await Promise.all(running)
  for (const socket of open) socket.destroy()
  return tally
}

function reach(as: Attack['as'], { url, ca, from }: Aim): Socket {
  const port = Number(new URL(url).port)
  const below = connectTcp({ port, host: '127.0.0.1', localAddress: from })
  below.on('error', nothing)
  const socket = as === 'tcp' ? below : connectTls({ socket: below, ca, servername: 'localhost' })
  // Whoever does not read does not see the end either.
  socket.resume()
  return socket
}

/** Whether it came as far as the attack needs: over TCP, over TLS, or to the challenge on a socket. */
function ready(as: Attack['as'], socket: Socket, { url }: Aim): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once(as === 'tcp' ? 'connect' : 'secureConnect', () => {
      if (as !== 'socket') return resolve(true)
      const head = [
        `GET ${SOCKET_PATH} HTTP/1.1`,
        `Host: ${new URL(url).host}`,
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Origin: ${url}`,
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
      ]
      socket.write(`${head.join('\r\n')}\r\n\r\n`)
      socket.once('data', (said: Buffer) => resolve(said.includes(' 101 ')))
    })
  })
}

function everyMs(ms: number, until: AbortSignal, socket: Socket, act: () => void): void {
  const timer = setInterval(act, ms)
  const stop = () => clearInterval(timer)
  socket.once('close', stop)
  until.addEventListener('abort', stop, { once: true })
}

function aborted(until: AbortSignal): Promise<void> {
  if (until.aborted) return Promise.resolve()
  return new Promise((resolve) => until.addEventListener('abort', () => resolve(), { once: true }))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
