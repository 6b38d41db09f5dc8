import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { boundPipelines, MAX_WAITING } from './pipelines.ts'

let server: Server
let heard: ServerResponse[]
let refused: ServerResponse[]
let dropped: number
let faults: string[]
let client: Socket

beforeEach(async () => {
  heard = []
  refused = []
  dropped = 0
  faults = []
  server = createServer()
  for (const event of ['request', 'checkExpectation'])
    server.on(event, (_request, response) => void heard.push(response))
  server.on('clientError', (error: Error & { code?: string }) => void faults.push(error.code ?? ''))
  boundPipelines(server, {
    refuse: (_request, response) => void refused.push(response),
    onDropped: () => {
      dropped += 1
    },
  })
  server.on('connection', (socket: Socket) => void socket.on('error', () => undefined))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  client = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1')
  client.on('error', () => undefined).resume()
})
afterEach(() => {
  client.destroy()
  server.closeAllConnections()
  server.close()
})

it.each([
  ['requests', ''],
  ['expectations', 'Expect: miracles\r\n'],
])(
  'R-05 of %s that nobody has answered one too many is refused, those behind it are dropped, and later ones not read',
  async (_, header) => {
    const request = `GET / HTTP/1.1\r\nHost: a\r\n${header}\r\n`
    client.write(request.repeat(MAX_WAITING))
    await expect.poll(() => heard.length).toBe(MAX_WAITING)
    client.write(request.repeat(5))
    await expect.poll(() => dropped).toBe(4)
    expect({ heard: heard.length, refused: refused.length }).toEqual({ heard: MAX_WAITING, refused: 1 })
    client.write(request.repeat(5))
    await expect.poll(() => faults).toEqual(['HPE_PAUSED'])
    expect(dropped).toBe(4)
  },
)

it('R-05 who waits for their answers may ask for ever', async () => {
  for (let each = 1; each <= 3 * MAX_WAITING; each += 1) {
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await expect.poll(() => heard.length).toBe(each)
    heard.at(-1)?.end()
  }
  expect({ refused, dropped }).toEqual({ refused: [], dropped: 0 })
})
