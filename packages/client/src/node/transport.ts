import { WebSocket } from 'ws'
import type { Transport } from '../socket-like.ts'
import type { NodeTls } from './tls.ts'

/** What the server may send in one frame, in bytes: a subscription's members and receipts are the longest. */
const MAX_PAYLOAD = 16 * 1024 * 1024

/** Sockets by `ws`, which takes a certificate authority and an Origin, and shows the server's pings. */
export function nodeTransport({ ca, origin, certificate }: NodeTls): Transport {
  return (url, protocols, listener) => {
    const socket = new WebSocket(url, [...protocols], {
      ca,
      ...certificate,
      origin: origin ?? new URL(url.replace(/^ws/, 'http')).origin,
      perMessageDeflate: false,
      maxPayload: MAX_PAYLOAD,
      followRedirects: false,
    })
    socket.on('message', (data, isBinary) => {
      listener.received(isBinary || !Buffer.isBuffer(data) ? null : data.toString('utf8'))
    })
    socket.on('ping', () => listener.heard())
    socket.on('close', (code) => listener.closed(code))
    // Whatever failed, `close` follows and says all that matters; unheard, an error would end the process.
    socket.on('error', () => undefined)
    return {
      send: (text) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(text)
      },
      close: (code) => {
        socket.close(code)
        // A dead peer never answers the close. Nothing is waited for here: the line has been given up.
        if (socket.readyState === WebSocket.CLOSING) setTimeout(() => socket.terminate(), 1_000).unref()
      },
    }
  }
}
