import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import WebSocket from 'ws'
import { familyOf, startPinned, stop } from './processes.ts'
import type { Layout, Peer, Target } from './target.ts'

/** The bare-socket floor as a target. `tlsFile`: a PEM file with a key and its certificate. */
export function floorTarget(tlsFile: string): Target {
  let server: ChildProcess | undefined
  const sockets: WebSocket[] = []
  return {
    name: 'bare ws, TLS 1.3 (the floor)',
    async open(layout: Layout) {
      const script = fileURLToPath(new URL('./floor-server.ts', import.meta.url))
      let port = ''
      server = await startPinned(script, { FLOOR_TLS_FILE: tlsFile }, /listening (\d+)/, (match) => {
        port = match[1] as string
      })
      const peers: Peer[] = []
      for (let channel = 0; channel < layout.channels; channel++) {
        for (let i = 0; i < layout.peersPerChannel; i++) {
          const socket = new WebSocket(`wss://127.0.0.1:${port}/${channel}`, { rejectUnauthorized: false })
          await once(socket, 'open')
          sockets.push(socket)
          peers.push(floorPeer(socket, channel))
        }
      }
      return peers
    },
    processes: () => (server?.pid ? familyOf(server.pid) : []),
    async close() {
      for (const socket of sockets.splice(0)) socket.terminate()
      if (server) await stop(server)
    },
  }
}

function floorPeer(socket: WebSocket, channel: number): Peer {
  const own = new Set<number>()
  const peer: Peer = {
    channel,
    post(tag, body) {
      own.add(tag)
      socket.send(`{"tag":${tag},"type":"message.post","channel":${channel},"body":"${body}"}`)
    },
    onAccepted: () => undefined,
    onDelivered: () => undefined,
  }
  socket.on('message', (data: Buffer) => {
    const text = data.toString('latin1', 7, 20)
    const tag = Number.parseInt(text, 10)
    peer.onDelivered(tag)
    // The floor has no acknowledgement of its own: the sender's copy is it.
    if (own.delete(tag)) peer.onAccepted(tag)
  })
  return peer
}
