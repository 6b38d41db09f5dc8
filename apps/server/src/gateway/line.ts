import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { CLOSE_CODES, type CloseCode } from '@wardline/protocol'
import { WebSocket } from 'ws'
import { type Frame, payloadOf } from './frame.ts'
import { Outlet, type Owner, type Sink, type Turn } from './outlet.ts'

/** All that the protocol sees of a socket: the rest of the gateway knows neither `ws` nor TCP, and tests bring their own. */
export interface Line {
  /** Bytes sent that the peer has not taken yet. */
  readonly backlog: number
  /** Goes out with whatever else is sent in this turn of the loop, unless `owner` is closed by then. */
  send(frame: Frame, owner?: Owner): void
  ping(): void
  pong(data: Buffer): void
  /** Stops and goes on reading what the peer sends. */
  pause(): void
  resume(): void
  /** How large a message may be from now on, in bytes: a larger one closes with 1009 before it is read. */
  acceptUpTo(bytes: number): void
  /** `finish`: what waits goes out first, if the peer takes it. `drop`: nothing more is written but the close frame. */
  close(code: CloseCode, waiting: 'finish' | 'drop'): void
  /** Ends the connection without a word. */
  cut(): void
}

/** What a line tells of. Nothing is called after `closed`. */
export interface LineEvents {
  text(message: string, bytes: number): void
  binary(): void
  ping(data: Buffer): void
  pong(): void
  /** What came is no WebSocket message that we take. The socket is being closed already, with the code that fits. */
  fault(because: Fault): void
  /** The backlog has fallen. */
  written(): void
  /** Once. `code` as of RFC 6455 §7.1.5: 1006 where there was no close frame. */
  closed(code: number): void
}

export type Fault = 'encoding' | 'oversize' | 'malformed'

/** How `ws` names what it closes with 1007 and 1009; the rest is 1002 or, for too many fragments, 1008. */
const FAULTS: Readonly<Record<string, Fault>> = {
  WS_ERR_INVALID_UTF8: 'encoding',
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 'oversize',
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 'oversize',
}

/** A peer that does not answer a close frame is cut off after this. */
export const CLOSE_TIMEOUT_MS = 2_000
/** After a revocation a write that is under way has so long to end; then the connection is cut. */
const DROP_TIMEOUT_MS = 250
/** Pongs that wait, in bytes: who asks for more without reading them is cut off. */
const MAX_PONG_BACKLOG = 64 * 1024

/** A socket of `ws` that says one word of our table when it closes, whoever makes it close, and never a word of the peer's. */
export class PlainSocket extends WebSocket {
  override close(code?: number): void {
    if (code === undefined) super.close()
    else super.close(code, code in CLOSE_CODES ? CLOSE_CODES[code as CloseCode].reason : '')
  }
}

/** Ties a socket of `ws`, just opened, and the TCP or TLS socket below it to the protocol. Listens before it returns. */
export function openLine(ws: WebSocket, below: Duplex, parts: { readonly turn: Turn }, events: LineEvents): Line {
  const sink = isPlainBelow(ws, below) ? direct(ws, below) : throughWs(ws)
  const outlet = new Outlet(sink, parts.turn, () => {
    events.written()
    dropped?.()
  })
  let dropped: (() => void) | undefined
  let open = true

  ws.on('message', (data, isBinary) => {
    if (!open) return
    if (isBinary) events.binary()
    // The default binaryType of `ws` gives a Buffer for text as well, whose UTF-8 it has checked.
    else if (Buffer.isBuffer(data)) events.text(data.toString(), data.length)
  })
  ws.on('ping', (data) => {
    if (open) events.ping(data)
  })
  ws.on('pong', () => {
    if (open) events.pong()
  })
  ws.on('error', (error: Error & { code?: unknown }) => {
    if (!open) return
    open = false
    outlet.discard()
    events.fault((typeof error.code === 'string' ? FAULTS[error.code] : undefined) ?? 'malformed')
  })
  ws.on('close', (code) => {
    open = false
    outlet.discard()
    events.closed(code)
  })

  function closeNow(code: CloseCode): void {
    open = false
    ws.resume()
    ws.close(code)
  }

  return {
    get backlog() {
      return outlet.backlog
    },
    send: (frame, owner) => outlet.push(frame, owner ?? null),
    ping: () => {
      if (ws.readyState === WebSocket.OPEN) ws.ping()
    },
    pong: (data) => {
      if (ws.bufferedAmount > MAX_PONG_BACKLOG) ws.terminate()
      else if (ws.readyState === WebSocket.OPEN) ws.pong(data)
    },
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    acceptUpTo: (bytes) => liftPayloadLimit(ws, bytes),
    close(code, waiting) {
      if (!open) return
      if (waiting === 'finish') outlet.finish()
      else outlet.discard()
      if (waiting === 'finish' || outlet.backlog === 0) return closeNow(code)
      open = false
      // Real time, as the closing timeout of `ws` is: it is the kernel that is waited for.
      const timer = setTimeout(() => ws.terminate(), DROP_TIMEOUT_MS)
      dropped = () => {
        dropped = undefined
        clearTimeout(timer)
        closeNow(code)
      }
    },
    cut: () => {
      outlet.discard()
      ws.terminate()
    },
  }
}

/**
 * Whether frames may be written past `ws`, between its own: it has negotiated no extension, so it never holds a frame back, and
 * all that it counts as buffered is what the socket below has buffered. Public API of both alone.
 */
function isPlainBelow(ws: WebSocket, below: Duplex): below is Socket {
  return below instanceof Socket && ws.extensions === '' && ws.bufferedAmount === below.writableLength
}

function direct(ws: WebSocket, socket: Socket): Sink {
  return {
    write(bytes, written) {
      // After a close frame, ours or the answer to the peer's, nothing may follow (RFC 6455 §5.5.1).
      if (ws.readyState === WebSocket.OPEN) socket.write(bytes, written)
      else setImmediate(written)
    },
  }
}

/** Where the shape is not the one we know, `ws` frames each message itself: slower, and always right. */
export function throughWs(ws: Pick<WebSocket, 'send'>): Sink {
  return {
    write(bytes, written) {
      for (let start = 0; start < bytes.length; ) {
        const frame = bytes.subarray(start) as Frame
        const payload = payloadOf(frame)
        const length = lengthOf(frame)
        start += frame.length - payload.length + length
        const last = start >= bytes.length
        ws.send(payload.subarray(0, length), { binary: false }, last ? () => written() : undefined)
      }
    },
  }
}

/** The length of the message in the frame that `bytes` begin with. */
function lengthOf(bytes: Buffer): number {
  const length = bytes[1] ?? 0
  return length === 127 ? Number(bytes.readBigUInt64BE(2)) : length === 126 ? bytes.readUInt16BE(2) : length
}

/**
 * `ws` has one bound for all sockets of a server, set to that of the first frame; there is no public way to raise it for one
 * socket. If its inside is another one day, large frames of signed-in users are refused with 1009, and a test says so.
 */
function liftPayloadLimit(ws: WebSocket, bytes: number): void {
  const { _receiver: receiver } = ws as unknown as { _receiver?: { _maxPayload?: unknown } }
  if (receiver !== undefined && typeof receiver._maxPayload === 'number') receiver._maxPayload = bytes
}
