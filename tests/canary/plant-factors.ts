import { passkeyCreation, passkeyRequest } from '@wardline/protocol'
import type { HttpAnswer } from '../_util/https.ts'
import { enrolPasskey } from '../_util/passkey.ts'
import { Person } from '../_util/person.ts'
import { enrol } from '../_util/second-factor.ts'
import { SoftwareAuthenticator } from '../_util/software-authenticator.ts'
import { Canaries } from './canaries.ts'
import type { Haystack } from './haystack.ts'

/** Types a canary into everything that second factors take; and gives what was shown once, to be looked for as well. */
export async function plantFactors(
  nurse: Person,
  canaries: Canaries,
): Promise<{ found: Haystack[]; shownOnce: Canaries[] }> {
  const { server } = nurse
  const found: Haystack[] = []
  const plant = async (place: string, ask: (canary: string) => Promise<HttpAnswer>) => {
    const { status, headers, text } = await ask(canaries.plant(place))
    const body = status >= 200 && status < 300 ? '' : text
    found.push({ place: `answer ${status} to ${place}`, bytes: Buffer.from(`${JSON.stringify(headers)}\n${body}`) })
  }
  const stranger = (path: string, body: unknown) => new Person(server).bare('POST', path, { body })

  const { secret, recoveryCodes } = await enrol(nurse)
  await nurse.refresh()
  const { authenticator } = await enrolPasskey(nurse)

  await plant('a code of an app', (totp) => stranger('/auth/second-factor', { challenge: totp, totp }))
  await plant('a recovery code', (recoveryCode) =>
    stranger('/auth/second-factor', { challenge: 'x', recoveryCode: recoveryCode.slice(0, 40) }),
  )
  await plant('a code for stepping up', (totp) => nurse.call('POST', '/auth/step-up', { body: { totp } }))
  await plant('a recovery code for stepping up', (text) =>
    nurse.call('POST', '/auth/step-up', { body: { recoveryCode: text.slice(0, 40) } }),
  )
  await plant('a confirmation', (code) => nurse.call('POST', '/me/factors/totp/confirm', { body: { code } }))
  await plant('the id of a factor', (text) => nurse.call('DELETE', `/me/factors/${text}`))

  const make = async (change: (passkey: object, canary: string) => object, canary: string) => {
    const asked = passkeyCreation.parse((await nurse.call('POST', '/me/factors/passkeys')).body)
    const passkey = new SoftwareAuthenticator({ origin: server.url }).create(asked, {
      origin: `https://${canary}.example`,
    })
    return nurse.call('POST', '/me/factors/passkeys/confirm', { body: { passkey: change(passkey, canary) } })
  }
  await plant('the page of a new passkey', (text) => make((passkey) => passkey, text))
  await plant('the name of a new passkey', (text) => make((passkey) => ({ ...passkey, name: text, label: text }), text))
  await plant('the transports of a new passkey', (text) =>
    make((passkey) => ({ ...passkey, transports: [text] }), text),
  )
  await plant('the id of a new passkey', (text) => make((passkey) => ({ ...passkey, id: text }), text))
  await plant('what a new passkey attests', (text) =>
    make((passkey) => ({ ...passkey, attestationObject: Buffer.from(text.repeat(3)).toString('base64url') }), text),
  )

  const use = async (change: (passkey: object, canary: string) => object, canary: string) => {
    const person = new Person(server)
    const asked = passkeyRequest.parse((await person.bare('POST', '/auth/passkey/options')).body)
    const passkey = authenticator.get(asked, { origin: `https://${canary}.example` })
    return person.bare('POST', '/auth/passkey', { body: { passkey: change(passkey, canary) } })
  }
  await plant('the page of a passkey', (text) => use((passkey) => passkey, text))
  for (const field of ['id', 'userHandle', 'signature', 'authenticatorData', 'clientDataJSON']) {
    await plant(`a passkey’s ${field}`, (text) => use((passkey) => ({ ...passkey, [field]: text.repeat(3) }), text))
    await plant(`a passkey’s ${field}, encoded`, (text) =>
      use((passkey) => ({ ...passkey, [field]: Buffer.from(text.repeat(3)).toString('base64url') }), text),
    )
  }
  await plant('a field of a passkey that there is not', (text) =>
    use((passkey) => ({ ...passkey, [text]: text }), text),
  )
  await plant('a role that there is not', (text) =>
    nurse.call('PATCH', `/admin/roles/${text}`, { body: { requireSecondFactor: true } }),
  )

  const shownOnce = [secret, ...recoveryCodes, authenticator.userHandle ?? ''].map((text) => new Canaries(text))
  return { found, shownOnce }
}
