import { EventEmitter } from 'node:events'
import type { Server, Socket } from 'node:net'
import { expect, it } from 'vitest'
import { Door, type DoorLimits } from './door.ts'

/** A server that is told of connections by hand. */
function setUp(limits: DoorLimits, { proxy = 'none' } = {}) {
  const server = new EventEmitter() as unknown as Server
  const heard: string[] = []
  const refused: string[] = []
  const counted: string[] = []
  const door = new Door({
    limits,
    isProxy: (ip) => ip === proxy,
    handshakes: { await: (_socket, begin) => begin() },
    addresses: {
      connect: (ip) => {
        counted.push(ip)
        return ip === '10.0.0.66' ? { refused: 'held-off', retryAfterMs: 1 } : { settled: () => undefined }
      },
    },
    onRefused: (ip, because) => void refused.push(`${ip} ${because}`),
  })
  server.on('connection', ({ remoteAddress }: Socket) => void heard.push(String(remoteAddress)))
  door.guard(server)
  let port = 0
  const connect = (remoteAddress: string | undefined) => {
    let isReset = false
    const resetAndDestroy = () => {
      isReset = true
    }
    const socket = Object.assign(new EventEmitter(), { remoteAddress, remotePort: (port += 1), resetAndDestroy })
    server.emit('connection', socket as unknown as Socket)
    return { socket: socket as unknown as Socket, isReset: () => isReset }
  }
  return { door, heard, refused, counted, connect }
}

it('R-05 those beyond what there may be are reset before anybody else hears of them', () => {
  const { door, heard, refused, connect } = setUp({ connections: 3, unknownConnections: 2 })
  const [first, , third] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(connect)
  expect(third?.isReset()).toBe(true)
  expect({ heard, refused }).toEqual({ heard: ['10.0.0.1', '10.0.0.2'], refused: ['10.0.0.3 overloaded'] })
  // Somebody signs in on the first: there is room for one stranger more, and then there are three in all.
  if (first !== undefined) door.known(first.socket)
  expect(connect('10.0.0.4').isReset()).toBe(false)
  if (first !== undefined) door.known(first.socket)
  expect({ open: door.open, unknown: door.unknown }).toEqual({ open: 3, unknown: 2 })
  expect(connect('10.0.0.5').isReset()).toBe(true)
  first?.socket.emit('close')
  expect({ open: door.open, unknown: door.unknown }).toEqual({ open: 2, unknown: 2 })
})

it('R-05 when strangers have taken all there is, who has most of it gives way: a few addresses keep nobody out', () => {
  const { door, refused, connect } = setUp({ connections: 100, unknownConnections: 6 })
  const many = Array.from({ length: 4 }, () => connect('10.0.0.1'))
  const fewer = [connect('10.0.0.2'), connect('10.0.0.2')]
  expect(connect('10.0.0.3').isReset()).toBe(false)
  expect(connect('10.0.0.4').isReset()).toBe(false)
  expect(many.map(({ isReset }) => isReset())).toEqual([true, true, false, false])
  expect(fewer.map(({ isReset }) => isReset())).toEqual([false, false])
  // Nobody has more than one who comes would have, and who comes has no fewer than the others.
  expect(connect('10.0.0.1').isReset()).toBe(true)
  expect(refused).toEqual(['10.0.0.1 overloaded', '10.0.0.1 overloaded', '10.0.0.1 overloaded'])
  // Whoever has signed in gives way to nobody.
  const [, , third, fourth] = many
  for (const each of [third, fourth]) if (each !== undefined) door.known(each.socket)
  expect(door.unknown).toBe(4)
  for (const ip of ['10.0.0.5', '10.0.0.6', '10.0.0.7']) expect(connect(ip).isReset()).toBe(false)
  expect([third, fourth, ...fewer].map((each) => each?.isReset())).toEqual([false, false, true, false])
})

it('R-05 of one user so many connections are theirs, and more are a stranger’s; one that closes makes room', () => {
  const { door, connect } = setUp({ connections: 1_000, unknownConnections: 1_000 })
  const all = Array.from({ length: 70 }, () => connect('10.0.0.1'))
  for (const _again of [1, 2]) for (const { socket } of all) door.known(socket, 'tenant/user')
  expect(door.unknown).toBe(6)
  const [first, last] = [all[0], all[69]]
  if (last !== undefined) door.known(last.socket, 'tenant/another')
  expect(door.unknown).toBe(5)
  first?.socket.emit('close')
  const beyond = all[68]
  for (const _again of [1, 2]) if (beyond !== undefined) door.known(beyond.socket, 'tenant/user')
  expect(door.unknown).toBe(4)
  for (const { socket } of all.slice(1)) socket.emit('close')
  expect({ open: door.open, unknown: door.unknown }).toEqual({ open: 0, unknown: 0 })
})

it('R-05 who is held off takes nobody’s place', () => {
  const { connect } = setUp({ connections: 100, unknownConnections: 2 })
  const [first] = [connect('10.0.0.1'), connect('10.0.0.1')]
  expect(connect('10.0.0.66').isReset()).toBe(true)
  expect(first?.isReset()).toBe(false)
})

it('R-51 an address that is held off is not let in, and one that is gone before it was looked at is none', () => {
  const { heard, refused, connect } = setUp({ connections: 10, unknownConnections: 10 })
  expect(connect('10.0.0.66').isReset()).toBe(true)
  expect(connect(undefined).isReset()).toBe(true)
  expect({ heard, refused }).toEqual({ heard: [], refused: ['10.0.0.66 held-off'] })
})

it('R-08 a proxy is not counted for those behind it, but for all there are', () => {
  const { door, counted, connect } = setUp({ connections: 2, unknownConnections: 1 }, { proxy: '10.0.0.9' })
  for (const _ of [1, 2]) expect(connect('::ffff:10.0.0.9').isReset()).toBe(false)
  expect(connect('10.0.0.9').isReset()).toBe(true)
  expect({ counted, unknown: door.unknown, open: door.open }).toEqual({ counted: [], unknown: 0, open: 2 })
})

it('counts of a network those on which TLS has begun and nobody signed in', () => {
  const { door, connect } = setUp({ connections: 100, unknownConnections: 100 })
  const [first, second, third] = ['10.0.0.1', '10.0.0.1', '10.0.0.2'].map(connect)
  expect([door.begunOf('10.0.0.1'), door.begunOf('10.0.0.2'), door.begunOf('10.0.0.3')]).toEqual([2, 1, 0])
  if (first !== undefined) door.known(first.socket)
  first?.socket.emit('close')
  expect(door.begunOf('10.0.0.1')).toBe(1)
  for (const each of [second, third]) each?.socket.emit('close')
  expect([door.begunOf('10.0.0.1'), door.begunOf('10.0.0.2')]).toEqual([0, 0])
})
