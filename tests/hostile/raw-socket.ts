import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { SOCKET_PATH, SUBPROTOCOL } from '@wardline/protocol'
import type { Reachable } from '../_util/server.ts'

/** One frame of RFC 6455 §5.2, as wrong as wanted. Masked with zeroes, which leaves the payload readable. */
export function frame(parts: {
  readonly opcode: number
  readonly payload?: string | Buffer
  readonly fin?: boolean
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number
  readonly masked?: boolean
  /** In place of the true one; beyond 2^16 it is written in 8 bytes. */
  readonly length?: bigint
}): Buffer {
  const { opcode, fin = true, reserved = 0, masked = true } = parts
  const payload = Buffer.from(parts.payload ?? '')
  const length = parts.length ?? BigInt(payload.length)
  const mask = masked ? 0x80 : 0
  const head =
    length < 126n
      ? Buffer.from([0, mask | Number(length)])
      : length < 65_536n
        ? Buffer.from([0, mask | 126, Number(length >> 8n), Number(length & 255n)])
        : Buffer.concat([Buffer.from([0, mask | 127]), eightBytes(length)])
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode
  return Buffer.concat([head, ...(masked ? [Buffer.alloc(4)] : []), payload])
}

function eightBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

/** A WebSocket of which nothing but the handshake is right. */
export class RawSocket {
  readonly #socket: TLSSocket
  #received: Buffer = Buffer.alloc(0)

  private constructor(socket: TLSSocket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
    })
    socket.on('error', () => undefined)
  }

  /** Resolves when the challenge has come. */
  static async open({ url, ca }: Reachable): Promise<RawSocket> {
    const { port } = new URL(url)
    const socket = connect({ port: Number(port), host: '127.0.0.1', ca, servername: 'localhost' })
    await once(socket, 'secureConnect')
    const raw = new RawSocket(socket)
    const head = [
      `GET ${SOCKET_PATH} HTTP/1.1`,
      `Host: localhost:${port}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Origin: ${url}`,
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    while (!raw.#received.includes('session.challenge')) await once(socket, 'data')
    raw.#received = Buffer.alloc(0)
    return raw
  }

  write(...bytes: Buffer[]): void {
    this.#socket.write(Buffer.concat(bytes))
  }

  /** How the server ends it: the code of its close frame, or null where it hangs up without one. */
  async end(): Promise<{ code: number | null; reason: string }> {
    for (;;) {
      const closing = this.#closeFrame()
      if (closing !== null || this.#socket.closed) {
        this.#socket.destroy()
        return closing ?? { code: null, reason: '' }
      }
      await Promise.race([once(this.#socket, 'data'), once(this.#socket, 'close')])
    }
  }

  /** Of a server that has said nothing else since its challenge, all frames are short. */
  #closeFrame(): { code: number | null; reason: string } | null {
    for (let at = 0; at + 2 <= this.#received.length; ) {
      const opcode = (this.#received[at] ?? 0) & 15
      const length = (this.#received[at + 1] ?? 0) & 127
      const payload = this.#received.subarray(at + 2, at + 2 + length)
      if (opcode === 8 && payload.length === length) {
        return { code: length < 2 ? null : payload.readUInt16BE(0), reason: payload.subarray(2).toString() }
      }
      at += 2 + length
    }
    return null
  }
}
