import { KEY_EXCHANGES } from '../tls/options.ts'

/** No record of TLS is longer (RFC 8446 §5.1). */
const MAX_RECORD_BYTES = 16 * 1024
const RECORD_HEAD_BYTES = 5
const MESSAGE_HEAD_BYTES = 4
const HANDSHAKE = 22
const CLIENT_HELLO = 1
/** Version and random. */
const FIXED_BYTES = 2 + 32
const SUPPORTED_VERSIONS = 43
const KEY_SHARE = 51
const TLS_1_3 = 0x0304

/**
 * What a peer has said so far. `partial`: not all of its ClientHello (RFC 8446 §4.1.2), and nothing that costs TLS more than to read it.
 * `whole`: what follows costs a key exchange and a signature. `again`: all of one that offers no key of a kind that we take, so that it is
 * asked for another (§4.1.4) and the cost comes with that one. `none`: TLS refuses it.
 */
export type Said = 'partial' | 'whole' | 'again' | 'none'

export function judgeHello(said: Buffer): Said {
  const there = lengthIn(said)
  // None is empty, so the message's own head is in as many records at most as it has bytes.
  const head = messageIn(said.subarray(0, MESSAGE_HEAD_BYTES * (RECORD_HEAD_BYTES + 1)))
  if (there === null || head === null || (head.length > 0 && head[0] !== CLIENT_HELLO)) return 'none'
  if (head.length < MESSAGE_HEAD_BYTES) return 'partial'
  const length = head.readUIntBE(1, 3)
  if (there < MESSAGE_HEAD_BYTES + length) return 'partial'
  const message = messageIn(said) ?? head
  return isAskedAgain(message.subarray(MESSAGE_HEAD_BYTES, MESSAGE_HEAD_BYTES + length)) ? 'again' : 'whole'
}

/**
 * How many bytes of a message the records so far hold; null where they are none of a handshake. Nothing is put together for it: it is asked
 * for each piece that comes, and thousands of records of a byte each are to cost no more than the pieces do.
 */
function lengthIn(said: Buffer): number | null {
  let there = 0
  for (let at = 0; at < said.length; ) {
    if (said[at] !== HANDSHAKE) return null
    if (at + RECORD_HEAD_BYTES > said.length) break
    const length = said.readUInt16BE(at + 3)
    if (length === 0 || length > MAX_RECORD_BYTES) return null
    at += RECORD_HEAD_BYTES
    there += Math.min(length, said.length - at)
    at += length
  }
  return there
}

/** What the records so far hold, put together; null where they are none of a handshake. */
function messageIn(said: Buffer): Buffer | null {
  const parts: Buffer[] = []
  for (let at = 0; at < said.length; ) {
    if (said[at] !== HANDSHAKE) return null
    if (at + RECORD_HEAD_BYTES > said.length) break
    const length = said.readUInt16BE(at + 3)
    if (length === 0 || length > MAX_RECORD_BYTES) return null
    parts.push(said.subarray(at + RECORD_HEAD_BYTES, at + RECORD_HEAD_BYTES + length))
    at += RECORD_HEAD_BYTES + length
  }
  return Buffer.concat(parts)
}

/** One of TLS 1.3, none of whose keys is of a kind that we take. What cannot be read is refused by TLS, and asked for nothing. */
function isAskedAgain(hello: Buffer): boolean {
  try {
    const extensions = extensionsOf(hello)
    const versions = extensions.get(SUPPORTED_VERSIONS)
    const shares = extensions.get(KEY_SHARE)
    if (versions === undefined || shares === undefined) return false
    const isOurs = (kind: number) => Object.values(KEY_EXCHANGES).some((ours) => ours === kind)
    return numbersIn(versions.subarray(1)).includes(TLS_1_3) && !kindsOf(shares).some(isOurs)
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** @throws RangeError where it ends too soon */
function extensionsOf(hello: Buffer): Map<number, Buffer> {
  let at = FIXED_BYTES
  // The session's id, the suites, the compressions.
  at += 1 + hello.readUInt8(at)
  at += 2 + hello.readUInt16BE(at)
  at += 1 + hello.readUInt8(at)
  const found = new Map<number, Buffer>()
  for (at += 2; at < hello.length; ) {
    const length = hello.readUInt16BE(at + 2)
    found.set(hello.readUInt16BE(at), hello.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return found
}

function numbersIn(list: Buffer): number[] {
  return Array.from({ length: Math.floor(list.length / 2) }, (_, place) => list.readUInt16BE(2 * place))
}

/** @throws RangeError where it ends too soon */
function kindsOf(shares: Buffer): number[] {
  const kinds: number[] = []
  for (let at = 2; at < shares.length; at += 4 + shares.readUInt16BE(at + 2)) kinds.push(shares.readUInt16BE(at))
  return kinds
}
