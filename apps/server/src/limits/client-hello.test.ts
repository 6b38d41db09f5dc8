import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { type ConnectionOptions, connect } from 'node:tls'
import { expect, it, vi } from 'vitest'
import { judgeHello } from './client-hello.ts'

/** What a client of OpenSSL's says first, before it has heard anything. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const client = connect({ port, host: '127.0.0.1', servername: 'localhost', ...options })
  client.on('error', () => undefined)
  const [socket] = (await once(server, 'connection')) as [Socket]
  const [said] = (await once(socket, 'data')) as [Buffer]
  client.destroy()
  socket.destroy()
  server.close()
  return said
}

/** The same message in records of `size` bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5)
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size)
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part)
  }
  return Buffer.concat(records)
}

it.each<[string, ConnectionOptions, string]>([
  ['a client of today', {}, 'whole'],
  ['TLS 1.2', { maxVersion: 'TLSv1.2' }, 'whole'],
  ['another curve of ours', { ecdhCurve: 'secp384r1' }, 'whole'],
  ['a curve that we do not take, and one that we do', { ecdhCurve: 'secp521r1:X25519' }, 'again'],
  ['the same, to a server of TLS 1.2 as well', { ecdhCurve: 'secp521r1:X25519', maxVersion: 'TLSv1.2' }, 'whole'],
])(
  'R-05 %s: not all of its hello is partial, however it is cut, and all of it is what it is',
  async (_, options, judged) => {
    const hello = await helloOf(options)
    for (const said of [hello, inRecords(hello, 1), inRecords(hello, 100)]) {
      for (let length = 0; length < said.length; length += 1)
        expect(judgeHello(said.subarray(0, length))).toBe('partial')
      expect(judgeHello(said)).toBe(judged)
      expect(judgeHello(Buffer.concat([said, Buffer.from('more')]))).toMatch(/^(none|whole|again)$/)
    }
  },
)

it.each([
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['an alert', Buffer.from([21, 3, 1, 0, 2, 1, 0])],
  ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
  ['a record beyond all', Buffer.from([22, 3, 1, 0x40, 1])],
  ['another message of a handshake', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
])('R-05 %s is none, and TLS may refuse it at once', (_, said) => {
  expect(judgeHello(said)).toBe('none')
})

it('R-05 one whose lengths lie is judged, and thrown for nobody', async () => {
  const hello = await helloOf({})
  for (let at = 9; at < hello.length; at += 1) {
    const lie = Buffer.from(hello)
    lie[at] = 255
    expect(judgeHello(lie)).toMatch(/^(whole|again)$/)
  }
})

it('R-05 one in thousands of records is not put together again with each piece of it that comes', async () => {
  const said = inRecords(await helloOf({}), 1)
  const concat = vi.spyOn(Buffer, 'concat')
  expect(judgeHello(said.subarray(0, -1))).toBe('partial')
  expect(concat.mock.calls.every(([parts]) => parts.length <= 4)).toBe(true)
  concat.mockRestore()
})
