import type { ServerFrame } from '@wardline/protocol'

declare const framed: unique symbol

/** A whole WebSocket frame as it goes over the wire (RFC 6455 §5.2): one text message, FIN set, unmasked as a server's are. */
export type Frame = Buffer & { readonly [framed]: true }

const FIN_TEXT = 0x81
const LENGTH_16 = 126
const LENGTH_64 = 127

/** Frames a text once; the same bytes then go to every recipient. */
export function textFrame(text: string): Frame {
  const length = Buffer.byteLength(text)
  const start = length < LENGTH_16 ? 2 : length < 0x1_0000 ? 4 : 10
  const frame = Buffer.allocUnsafe(start + length)
  frame[0] = FIN_TEXT
  if (start === 2) frame[1] = length
  else if (start === 4) {
    frame[1] = LENGTH_16
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = LENGTH_64
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(text, start)
  return frame as Frame
}

export function encode(frame: ServerFrame): Frame {
  return textFrame(JSON.stringify(frame))
}

/** The text's bytes within its frame: for a line that frames by itself. Shares memory. */
export function payloadOf(frame: Frame): Buffer {
  const length = frame[1]
  return frame.subarray(length === LENGTH_64 ? 10 : length === LENGTH_16 ? 4 : 2)
}
