import * as fc from 'fast-check'
import { frame } from './raw-socket.ts'

/** Bytes that parsers have stumbled over. */
const NASTY = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ':',
  ' ',
  '\t',
  '\x7f',
  '\xff',
  '%',
  '%00',
  '%2e%2e%2f',
  '..',
  '//',
  '?',
  '#',
  ';',
  ',',
  '"',
  '0',
  '-1',
  '1e9',
  'ffffffffffffffff',
  'chunked',
  'HTTP/1.1',
  'HTTP/0.9',
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 5\r\n',
  'Expect: 100-continue\r\n',
  'Upgrade: websocket\r\nConnection: Upgrade\r\n',
  'Host: evil.test\r\n',
  'a'.repeat(9_000),
]

const piece = fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'binary-ascii', maxLength: 6 }))

/** Some bytes of `whole` taken out and others put in, in up to four places. */
function spoilt(whole: string): fc.Arbitrary<Buffer> {
  const cut = fc.record({ at: fc.nat(whole.length), length: fc.nat(12), put: piece })
  return fc.array(cut, { minLength: 1, maxLength: 4 }).map((cuts) =>
    Buffer.from(
      cuts.reduce((text, { at, length, put }) => text.slice(0, at) + put + text.slice(at + length), whole),
      'latin1',
    ),
  )
}

/** Requests of HTTP/1.1 that are almost right, and two of them in a row, which is how one is smuggled past a proxy. */
export function requests(origin: string): fc.Arbitrary<Buffer> {
  const common = `Host: localhost\r\nOrigin: ${origin}\r\n`
  const json = `${common}Content-Type: application/json\r\n`
  const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
  const whole = [
    `GET /api/v1/about?x=1 HTTP/1.1\r\n${common}\r\n`,
    `GET /api/v1/patients/a?limit=1 HTTP/1.1\r\n${common}Authorization: DPoP a.b.c\r\nDPoP: a.b.c\r\nCookie: a=b\r\n\r\n`,
    `POST /api/v1/auth/login HTTP/1.1\r\n${json}Content-Length: 13\r\n\r\n{"tenant":"a"}`,
    `POST /api/v1/auth/login HTTP/1.1\r\n${json}Transfer-Encoding: chunked\r\n\r\n5;x=y\r\n{"a":\r\n2\r\n1}\r\n0\r\nT: 1\r\n\r\n`,
    `GET /ws HTTP/1.1\r\n${common}Upgrade: websocket\r\nConnection: Upgrade\r\n${key}Sec-WebSocket-Protocol: wardline.v1\r\n\r\n`,
    `OPTIONS * HTTP/1.1\r\n${common}Expect: 100-continue\r\nForwarded: for=1.2.3.4\r\n\r\n`,
  ]
  const one = fc.oneof(...whole.map(spoilt))
  return fc.oneof(
    one,
    fc.tuple(fc.constantFrom(...whole), one).map(([first, second]) => Buffer.concat([Buffer.from(first), second])),
    fc.uint8Array({ minLength: 1, maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
  )
}

/** WebSocket frames one after the other, each with something that RFC 6455 §5.2 may or may not allow; the last may be cut short. */
export function socketBytes(texts: readonly string[]): fc.Arbitrary<Buffer> {
  const payload = fc.oneof(
    fc.constantFrom(...texts),
    fc.string({ unit: 'binary', maxLength: 130 }),
    fc.uint8Array({ maxLength: 130 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(Buffer.from([0x03, 0xe8]), Buffer.from([0x0f, 0xff, 0xc3]), 'x'.repeat(70_000)),
  )
  const one = fc.record({
    opcode: fc.oneof(fc.constantFrom(1, 1, 1, 0, 2, 8, 9, 10), fc.nat(15)),
    payload,
    fin: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.boolean()),
    reserved: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.nat(7)),
    masked: fc.oneof({ weight: 8, arbitrary: fc.constant(true) }, fc.boolean()),
    length: fc.oneof({ weight: 8, arbitrary: fc.constant(null) }, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  })
  const frames = fc
    .array(one, { minLength: 1, maxLength: 8 })
    .map((all) =>
      Buffer.concat(all.map(({ length, ...parts }) => frame({ ...parts, ...(length === null ? {} : { length }) }))),
    )
  const cut = fc.tuple(frames, fc.nat(100)).map(([bytes, less]) => bytes.subarray(0, Math.max(1, bytes.length - less)))
  return fc.oneof(
    frames,
    cut,
    fc.uint8Array({ minLength: 1, maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
  )
}
