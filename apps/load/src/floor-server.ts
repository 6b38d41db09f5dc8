import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { type WebSocket, WebSocketServer } from 'ws'

/**
 * The floor: the least that a chat server over TLS 1.3 can do. It parses a frame and sends it to each socket of the channel;
 * it signs nobody in, checks, encrypts, stores and audits nothing. Product figures are ratios to this, in the same run.
 */
const certificate = readFileSync(process.env['FLOOR_TLS_FILE'] as string)
const server = createServer({ key: certificate, cert: certificate, minVersion: 'TLSv1.3' })
const sockets = new WebSocketServer({ server, perMessageDeflate: false })
const channels = new Map<string, Set<WebSocket>>()

sockets.on('connection', (socket, request) => {
  const channel = request.url as string
  const peers = channels.get(channel) ?? new Set()
  channels.set(channel, peers.add(socket))
  socket.on('close', () => peers.delete(socket))
  socket.on('message', (data) => {
    const text = (data as Buffer).toString()
    JSON.parse(text)
    for (const peer of peers) peer.send(text)
  })
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address) process.stdout.write(`listening ${address.port}\n`)
})
process.on('SIGTERM', () => process.exit(0))
