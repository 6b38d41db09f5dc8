import { type PasskeyAssertion, passkeyCreation, passkeyRequest, recoveryCodes } from '@wardline/protocol'
import type { HttpAnswer } from './https.ts'
import type { Person } from './person.ts'
import { type Making, SoftwareAuthenticator, type Twist } from './software-authenticator.ts'

/** Puts a passkey in force for somebody who is signed in; their token is renewed, so that it says so. */
export async function enrolPasskey(
  person: Person,
  made: Omit<Making, 'origin'> = {},
): Promise<{ authenticator: SoftwareAuthenticator; recoveryCodes: string[] }> {
  const authenticator = new SoftwareAuthenticator({ origin: person.server.url, ...made })
  const answer = await confirmPasskey(person, authenticator)
  if (answer.status !== 200) throw new Error(`no passkey was made: ${answer.status} ${answer.text}`)
  await person.refresh()
  return { authenticator, ...recoveryCodes.parse(answer.body) }
}

/** Makes a passkey and shows it to the server, twisted or not. */
export async function confirmPasskey(
  person: Person,
  authenticator: SoftwareAuthenticator,
  twist: Twist = {},
): Promise<HttpAnswer> {
  const begun = await person.call('POST', '/me/factors/passkeys')
  if (begun.status !== 200) return begun
  const passkey = authenticator.create(passkeyCreation.parse(begun.body), twist)
  return person.call('POST', '/me/factors/passkeys/confirm', { body: { passkey } })
}

/** An answer to what the server asks of strangers. */
export async function answerAsStranger(
  person: Person,
  authenticator: SoftwareAuthenticator,
  twist: Twist = {},
): Promise<PasskeyAssertion> {
  const asked = passkeyRequest.parse((await person.bare('POST', '/auth/passkey/options')).body)
  return authenticator.get(asked, twist)
}
