import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FamiliarNetworks } from './familiar-networks.ts'
import { Handshakes } from './handshakes.ts'

const PROXY = '127.0.0.9'

let server: Server
let handshakes: Handshakes
let turns: (() => void)[]
let faults: string[]
let begun: string[]
let usage: { idle: number; active: number }
const peers: Socket[] = []

/** A server whose turns are given by hand; what begins says from where, and what it finds in the socket. */
async function serve(handshakeMs: number) {
  handshakes = new Handshakes({
    familiar: new FamiliarNetworks({ now: () => 0 }),
    isProxy: (ip) => ip === PROXY,
    handshakeMs,
    onFault: (ip, because) => void faults.push(`${ip} ${because}`),
    later: (_ms, run) => void turns.push(run),
    usage: () => ({ ...usage }),
  })
  server = createServer((socket) => {
    peers.push(socket)
    const { remoteAddress } = socket
    handshakes.await(socket, () => void begun.push(`${remoteAddress} ${String(socket.read())}`))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
}

beforeEach(() => {
  turns = []
  faults = []
  begun = []
  usage = { idle: 0, active: 0 }
})
afterEach(() => {
  for (const peer of peers.splice(0)) peer.destroy()
  server.close()
})

/** What begins like TLS, in one record, and is a ClientHello of nothing but this. */
function hello(says: string | Buffer): Buffer {
  const message = Buffer.concat([Buffer.from([1, 0, 0, says.length]), Buffer.from(says)])
  return Buffer.concat([Buffer.from([22, 3, 1, 0, message.length]), message])
}

/** Somebody at an address, who says something, or nothing. */
async function come(localAddress: string, says: string | Buffer | null): Promise<Socket> {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.on('error', () => undefined).resume()
  peers.push(socket)
  await once(socket, 'connect')
  if (says !== null) socket.write(says)
  return socket
}

/** The next turn of the loop that is asked for, after it has been busy and idle for so long. */
async function turn(active = 1, idle = 1): Promise<void> {
  await expect.poll(() => turns.length).toBe(1)
  usage = { active: usage.active + active, idle: usage.idle + idle }
  turns.shift()?.()
}

it('R-05 of a crowd that speaks at once one is begun in each turn, and networks take turns', async () => {
  await serve(60_000)
  for (const says of ['a', 'b', 'c']) await come('127.0.0.1', says)
  await expect.poll(() => handshakes.waiting).toBe(3)
  await come('127.0.0.2', 'd')
  await expect.poll(() => handshakes.waiting).toBe(4)
  expect(begun).toEqual([])
  const seen: number[] = []
  for (let each = 0; each < 4; each += 1) {
    await turn()
    seen.push(begun.length)
  }
  expect(seen).toEqual([1, 2, 3, 4])
  expect(begun[0]).toMatch(/^127\.0\.0\.1 [abc]$/)
  expect(begun[1]).toBe('127.0.0.2 d')
  expect({ waiting: handshakes.waiting, turns: turns.length, faults }).toEqual({ waiting: 0, turns: 0, faults: [] })
})

it('R-05 while the loop is busy for longer than it is idle nobody is begun; but one after a while, whatever it does', async () => {
  await serve(60_000)
  for (const says of ['a', 'b', 'c']) await come('127.0.0.1', says)
  await expect.poll(() => handshakes.waiting).toBe(3)
  await turn(3, 3)
  const seen: number[] = []
  const usages: readonly [number, number][] = [
    [3, 0],
    [0, 2],
    [0, 1],
    [19, 0],
    [1, 0],
  ]
  for (const [active, idle] of usages) {
    await turn(active, idle)
    seen.push(begun.length)
  }
  expect(seen).toEqual([1, 1, 2, 2, 3])
})

it('R-05 who has said nothing, or has gone, takes no turn', async () => {
  await serve(60_000)
  await come('127.0.0.1', null)
  const gone = await come('127.0.0.2', 'gone')
  await expect.poll(() => handshakes.waiting).toBe(1)
  gone.destroy()
  await expect.poll(() => handshakes.waiting).toBe(0)
  await come('127.0.0.3', 'here')
  await expect.poll(() => handshakes.waiting).toBe(1)
  await turn()
  expect(begun).toEqual(['127.0.0.3 here'])
})

it('R-05 who is silent for too long is cut off, and so is who says more than any client does', async () => {
  await serve(20)
  const silent = await come('127.0.0.1', null)
  await once(silent, 'close')
  const loud = await come('127.0.0.2', 'x'.repeat(40_000))
  await once(loud, 'close')
  expect(faults).toEqual(['127.0.0.1 timeout', '127.0.0.2 malformed'])
  expect(begun).toEqual([])
})

it('what waits for its turn for too long is cut off and not blamed', async () => {
  await serve(20)
  await once(await come('127.0.0.1', 'hello'), 'close')
  expect({ begun, faults, waiting: handshakes.waiting }).toEqual({ begun: [], faults: [], waiting: 0 })
})

it('R-05 who has said a part of their hello takes no turn, and takes one when they say the rest', async () => {
  await serve(60_000)
  const said = hello('all of it')
  const partly = await come('127.0.0.1', said.subarray(0, -1))
  await come('127.0.0.2', 'b')
  await expect.poll(() => handshakes.waiting).toBe(1)
  await turn()
  expect(begun).toEqual(['127.0.0.2 b'])
  partly.write(said.subarray(-1))
  await expect.poll(() => handshakes.waiting).toBe(1)
  await turn()
  expect(begun).toEqual(['127.0.0.2 b', `127.0.0.1 ${String(said)}`])
})

it('R-05 who says a hello bit by bit has no more time for it than who says nothing', async () => {
  await serve(60)
  const slow = await come('127.0.0.1', null)
  const bits = [...hello('x'.repeat(200))]
  const drip = setInterval(() => slow.write(Buffer.from(bits.splice(0, 1))), 1)
  await new Promise((resolve) => slow.once('close', resolve))
  clearInterval(drip)
  expect({ begun, faults }).toEqual({ begun: [], faults: ['127.0.0.1 timeout'] })
})

it('R-05 of those who will be asked for another key one is begun in a fifth of a second, and the others go by', async () => {
  await serve(60_000)
  // Version, random, no session, suite or compression; TLS 1.3, and no key.
  const keyless = '002b 0003 020304 0033 0002 0000'.replaceAll(' ', '')
  const said = hello(Buffer.concat([Buffer.alloc(34 + 1 + 2 + 1), Buffer.from([0, 13]), Buffer.from(keyless, 'hex')]))
  for (const address of ['127.0.0.1', '127.0.0.2', '127.0.0.3']) await come(address, said)
  await come('127.0.0.4', 'd')
  await expect.poll(() => handshakes.waiting).toBe(4)
  const seen: number[] = []
  for (const idle of [1, 100, 99, 200, 200]) {
    usage = { ...usage, idle: usage.idle + idle }
    for (const run of turns.splice(0)) run()
    await expect.poll(() => turns.length > 0 || handshakes.waiting === 0).toBe(true)
    seen.push(begun.length)
  }
  expect(begun[0]).toBe('127.0.0.4 d')
  expect(seen).toEqual([1, 1, 2, 3, 4])
})

it('who comes through a trusted proxy, which is many people, does not wait like a stranger', async () => {
  await serve(60_000)
  await come(PROXY, 'a')
  await turn(2, 0)
  expect(begun).toEqual([`${PROXY} a`])
  await come('127.0.0.1', 'b')
  await turn(2, 0)
  expect(begun).toHaveLength(1)
})
