import { createHmac } from 'node:crypto'
import { loginAnswer, recoveryCodes, totpEnrolment } from '@wardline/protocol'
import type { HttpAnswer } from './https.ts'
import type { CallOptions, Person } from './person.ts'

/** A step of an authenticator app, in ms. */
export const STEP_MS = 30_000

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** What the app shows at a moment: RFC 6238 written down once more, so that it is not the server that checks itself. */
export function codeAt(secret: string, ms: number): string {
  const bits = [...secret].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('')
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

/** Puts an authenticator in force for somebody who is signed in. */
export async function enrol(person: Person): Promise<{ id: string; secret: string; recoveryCodes: string[] }> {
  const { id, secret } = totpEnrolment.parse((await person.call('POST', '/me/factors/totp')).body)
  const code = codeAt(secret, person.server.clock.now())
  const confirmed = await person.call('POST', '/me/factors/totp/confirm', { body: { code } })
  return { id, secret, ...recoveryCodes.parse(confirmed.body) }
}

/** The password's half of a sign-in; fails the test where no second factor is asked. */
export async function challengeOf(person: Person, who: string, options: { password?: string } = {}): Promise<string> {
  const [tenant = '', username = ''] = who.split('/')
  const answer = loginAnswer.parse((await person.signIn(tenant, username, options)).body)
  if (answer.status !== 'second-factor') throw new Error(`${who} was asked for no second factor`)
  return answer.challenge
}

/** The other half. */
export function answerWith(
  person: Person,
  challenge: string,
  given: { totp: string } | { recoveryCode: string },
  options: CallOptions = {},
): Promise<HttpAnswer> {
  return person.secondFactor({ challenge, ...given }, options)
}
