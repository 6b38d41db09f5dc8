import { loginAnswer, recoveryCodes, totpEnrolment } from '@wardline/protocol'
import { codeAt } from './authenticator.ts'
import type { HttpAnswer } from './https.ts'
import type { CallOptions, Person } from './person.ts'

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
