import { createHmac } from 'node:crypto'

/** A step of an authenticator app, in ms. */
export const STEP_MS = 30_000

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** What the app shows at a moment: RFC 6238 written down once more, so that it is not the server that checks itself. */
export function codeAt(secret: string, ms: number): string {
  const bits = Array.from(secret, (letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(ms / STEP_MS)))
  const digest = createHmac('sha1', key).update(counter).digest()
  const offset = (digest.at(-1) ?? 0) & 15
  return String((digest.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0')
}

/** A code that is not this moment's, nor the one before or after. */
export function wrongCodeAt(secret: string, ms: number): string {
  const near = [-STEP_MS, 0, STEP_MS].map((away) => codeAt(secret, ms + away))
  return ['000000', '111111', '222222', '333333'].find((code) => !near.includes(code)) ?? '444444'
}
