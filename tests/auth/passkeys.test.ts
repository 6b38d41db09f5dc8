import { factors, loginAnswer, type PasskeyRequest, passkeyRequest } from '@wardline/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import type { HttpAnswer } from '../_util/https.ts'
import { answerAsStranger, confirmPasskey, enrolPasskey } from '../_util/passkey.ts'
import { claimsOf, Person, signedIn } from '../_util/person.ts'
import { challengeOf } from '../_util/second-factor.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { cborArray, cborBytes, SoftwareAuthenticator, type Twist } from '../_util/software-authenticator.ts'

const NURSE = 'riverside/nurse.lind'
const MINUTE = 60_000
const clock = manualClock(Date.UTC(2026, 5, 1, 8))
let server: TestServer
let nurse: SoftwareAuthenticator
let codes: string[]

beforeAll(async () => {
  server = await startTestServer({ clock })
  ;({ authenticator: nurse, recoveryCodes: codes } = await enrolPasskey(await signedIn(server, NURSE)))
})
beforeEach(() => clock.advance(1_000))
afterAll(() => server.stop())

async function signInAlone(authenticator: SoftwareAuthenticator, twist: Twist = {}, person = new Person(server)) {
  return person.signInByPasskey(await answerAsStranger(person, authenticator, twist))
}

/** The password's half of a sign-in, and what it wants of an authenticator. */
async function half(who = NURSE, person = new Person(server)) {
  const [tenant = '', username = ''] = who.split('/')
  const answer = loginAnswer.parse((await person.signIn(tenant, username)).body)
  if (answer.status !== 'second-factor') throw new Error('no second factor was asked for')
  return { person, challenge: answer.challenge, methods: answer.methods, asked: answer.passkey as PasskeyRequest }
}

async function confirming(person: Person): Promise<PasskeyRequest> {
  return passkeyRequest.parse((await person.call('POST', '/auth/step-up/options')).body)
}

/** Why the audit says that something of this second was refused. */
async function reasonsNow(action: string): Promise<unknown[]> {
  const at = new Date(clock.now()).toISOString()
  return (await auditOf(server, 'riverside', { action, outcome: 'refused', at })).map(({ reason }) => reason)
}

describe('R-11 a passkey', () => {
  test.each(['ES256', 'EdDSA', 'RS256'] as const)('of %s is made, listed, and signs in alone', async (algorithm) => {
    const who = { ES256: 'clerk.moss', EdDSA: 'pharmacist.vega', RS256: 'auditor.chen' }[algorithm]
    const person = await signedIn(server, `riverside/${who}`)
    const elsewhere = await signedIn(server, `riverside/${who}`)
    const { authenticator, recoveryCodes } = await enrolPasskey(person, { algorithm })
    expect(recoveryCodes).toHaveLength(10)
    expect((await elsewhere.call('GET', '/me')).status, 'a session by the password alone').toBe(401)
    expect(claimsOf(person.token)).toMatchObject({ acr: 'aal2', amr: ['pwd', 'hwk', 'user', 'mfa'] })
    const held = factors.parse((await person.call('GET', '/me/factors')).body)
    expect(held).toMatchObject({ items: [{ kind: 'passkey', synced: false }], recoveryCodes: 10 })

    const again = new Person(server)
    expect((await signInAlone(authenticator, {}, again)).status).toBe(200)
    expect(again.user.username).toBe(who)
    expect(claimsOf(again.token)).toMatchObject({ acr: 'aal2', amr: ['hwk', 'user', 'mfa'] })
    expect((await again.call('GET', '/me')).status).toBe(200)
    expect((await again.refresh()).status).toBe(200)
    const session = String(claimsOf(again.token)['sid'])
    expect(await auditOf(server, 'riverside', { action: 'auth.passkey', session })).toMatchObject([
      { outcome: 'allowed', actor: again.user.id, device: again.key.jkt },
    ])
  })

  test('is asked for after the password, and opens', async () => {
    const { person, challenge, methods, asked } = await half()
    expect(methods).toEqual(['passkey', 'recovery-code'])
    expect(asked.credentials).toEqual([{ id: nurse.id, transports: ['internal', 'hybrid'] }])
    expect((await person.secondFactor({ challenge, passkey: nurse.get(asked) })).status).toBe(200)
    expect(claimsOf(person.token)).toMatchObject({ acr: 'aal2', amr: ['pwd', 'hwk', 'user', 'mfa'] })
  })

  test('steps up in a session that goes on', async () => {
    const person = new Person(server)
    await signInAlone(nurse, {}, person)
    const { sid } = claimsOf(person.token)
    clock.advance(20 * MINUTE)
    await person.refresh()
    expect((await person.call('POST', '/me/factors/totp')).status, 'an old sign-in').toBe(401)
    const passkey = nurse.get(await confirming(person))
    const answer = await person.call('POST', '/auth/step-up', { body: { passkey } })
    expect(answer.status).toBe(200)
    person.token = (answer.body as { accessToken: string }).accessToken
    expect(claimsOf(person.token)).toMatchObject({ sid, auth_time: clock.now() / 1000, amr: ['hwk', 'user', 'mfa'] })
    expect((await person.call('POST', '/me/factors/totp')).status).toBe(200)
  })

  test('another takes a proof by the one that is there, not a password, and leaves the recovery codes', async () => {
    const person = new Person(server)
    await signInAlone(nurse, {}, person)
    const more = await enrolPasskey(person)
    expect(more.recoveryCodes).toEqual([])
    expect((await signInAlone(more.authenticator)).status).toBe(200)
    expect((await signInAlone(nurse)).status).toBe(200)
    const { items, recoveryCodes } = factors.parse((await person.call('GET', '/me/factors')).body)
    expect(recoveryCodes).toBe(10)
    expect((await person.call('DELETE', `/me/factors/${items[1]?.id}`)).status).toBe(204)
    expect((await signInAlone(more.authenticator)).status, 'removed').toBe(401)
    expect((await signInAlone(nurse)).status).toBe(200)
  })

  test('that is known is not taken once more, by nobody', async () => {
    const copy = new SoftwareAuthenticator(nurse)
    const thief = await signedIn(server, 'riverside/physician.okafor')
    expect((await confirmPasskey(thief, copy)).body).toMatchObject({ code: 'conflict' })
    expect((await signInAlone(nurse)).status).toBe(200)
  })

  test('lost: a recovery code signs in, and new ones take the place of the old', async () => {
    const person = new Person(server)
    const challenge = await challengeOf(person, NURSE)
    expect((await person.secondFactor({ challenge, recoveryCode: codes[0] ?? '' })).status).toBe(200)
    const anew = (await person.call('POST', '/me/factors/recovery-codes')).body as { recoveryCodes: string[] }
    expect(anew.recoveryCodes).toHaveLength(10)
    const again = new Person(server)
    const next = await challengeOf(again, NURSE)
    expect((await again.secondFactor({ challenge: next, recoveryCode: codes[1] ?? '' })).status, 'an old one').toBe(401)
    const [code = ''] = anew.recoveryCodes
    expect((await again.secondFactor({ challenge: next, recoveryCode: code })).status).toBe(200)
    expect(await auditOf(server, 'riverside', { action: 'factor.recovery-codes' })).toMatchObject([
      { outcome: 'allowed', actor: person.user.id },
    ])
  })
})

describe('R-11 an answer of an authenticator is refused', () => {
  const PRESENT_ONLY = 0x01
  test.each<[string, Twist, string]>([
    ['of another page', { origin: 'https://wardline.example' }, 'passkey'],
    ['of a page whose name begins with ours', { origin: 'https://localhost.example' }, 'passkey'],
    ['of our page at another port', { origin: 'https://localhost:1' }, 'passkey'],
    ['of a page without TLS', { origin: 'http://localhost' }, 'passkey'],
    ['in another page’s frame', { crossOrigin: true }, 'challenge'],
    ['for another relying party', { rpId: 'wardline.example' }, 'passkey'],
    ['without the person verified', { flags: PRESENT_ONLY }, 'passkey'],
    ['without the person present', { flags: 0x04 }, 'passkey'],
    ['of a registration', { type: 'webauthn.create' }, 'passkey'],
    ['to a challenge of nobody', { challenge: 'A'.repeat(72) }, 'challenge'],
    ['to an empty challenge', { challenge: '' }, 'challenge'],
    ['with another user’s handle', { userHandle: Buffer.alloc(32, 7).toString('base64url') }, 'passkey'],
    ['without a handle', { userHandle: null }, 'passkey'],
    ['with a handle that is none', { userHandle: 'AAAA' }, 'passkey'],
  ])('%s', async (_name, twist, reason) => {
    const answer = await signInAlone(nurse, twist)
    expect(answer.status).toBe(401)
    const audited = await auditOf(server, null, { action: 'auth.passkey', at: new Date(clock.now()).toISOString() })
    expect([...(await reasonsNow('auth.passkey')), ...audited.map((event) => event.reason)]).toEqual([reason])
    expect(answer.body, 'and nobody is told why').toEqual((await signInAlone(nurse, { rpId: 'x.example' })).body)
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  test('signed by another key', async () => {
    const { asked, person, challenge } = await half()
    const forged = new SoftwareAuthenticator({ origin: server.url })
    const passkey = { ...forged.get(asked), id: nurse.id }
    const answer = await person.secondFactor({ challenge, passkey })
    expect(answer.body).toMatchObject({ status: 401, why: 'passkey-wrong' })
    expect(await reasonsNow('auth.second-factor')).toEqual(['passkey'])
  })

  test('replayed: a challenge is good once', async () => {
    const person = new Person(server)
    const passkey = await answerAsStranger(person, nurse)
    expect((await person.signInByPasskey(passkey)).status).toBe(200)
    expect((await person.signInByPasskey(passkey)).status).toBe(401)
    expect(await reasonsNow('auth.passkey')).toEqual(['challenge'])
  })

  test('of ten at once with one challenge, one comes in', async () => {
    const person = new Person(server)
    const passkey = await answerAsStranger(person, nurse)
    const answers = await Promise.all(Array.from({ length: 10 }, () => person.signInByPasskey(passkey)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('late: a challenge is good for five minutes', async () => {
    const person = new Person(server)
    const passkey = await answerAsStranger(person, nurse)
    clock.advance(5 * MINUTE)
    expect((await person.signInByPasskey(passkey)).status).toBe(401)
  })

  test('at another device than asked', async () => {
    const passkey = await answerAsStranger(new Person(server), nurse)
    expect((await new Person(server).signInByPasskey(passkey)).status).toBe(401)
    expect(await reasonsNow('auth.passkey')).toEqual(['challenge'])
  })

  test('to a challenge for something else, or of another session', async () => {
    const person = new Person(server)
    await signInAlone(nurse, {}, person)
    const other = new Person(server, person.key)
    await signInAlone(nurse, {}, other)
    const stepUp = (by: Person, passkey: object): Promise<HttpAnswer> =>
      by.call('POST', '/auth/step-up', { body: { passkey } })
    const wanted = { status: 400, why: 'passkey-wrong' }
    expect((await stepUp(person, nurse.get(await confirming(other)))).body, 'another session').toMatchObject(wanted)
    expect(await reasonsNow('auth.step-up')).toEqual(['challenge'])
    const asStranger = await answerAsStranger(person, nurse)
    expect((await stepUp(person, asStranger)).body, 'a sign-in').toMatchObject(wanted)
    const toStepUp = nurse.get(await confirming(person), { userHandle: nurse.userHandle })
    expect((await person.signInByPasskey(toStepUp)).status, 'a step-up').toBe(401)
    const { person: halfway, challenge, asked } = await half(NURSE, new Person(server, person.key))
    const { asked: anotherHalf } = await half(NURSE, new Person(server, person.key))
    const answer = await halfway.secondFactor({ challenge, passkey: nurse.get(anotherHalf) })
    expect(answer.body, 'another password’s challenge').toMatchObject({ status: 401, why: 'passkey-wrong' })
    expect((await halfway.secondFactor({ challenge, passkey: nurse.get(asked) })).status, 'its own').toBe(200)
  })

  test('of another user’s passkey, of this tenant or another', async () => {
    const okafor = await signedIn(server, 'riverside/physician.okafor')
    const { authenticator: theirs } = await enrolPasskey(okafor)
    const novak = await signedIn(server, 'lakeside/admin.novak')
    const { authenticator: elsewhere } = await enrolPasskey(novak)
    for (const authenticator of [theirs, elsewhere]) {
      const { person, challenge, asked } = await half()
      const answer = await person.secondFactor({ challenge, passkey: authenticator.get(asked) })
      expect(answer.body).toMatchObject({ status: 401, why: 'passkey-wrong' })
      const claimed = await signInAlone(authenticator, { userHandle: nurse.userHandle })
      expect(claimed.status, 'as the nurse').toBe(401)
    }
    const lind = new Person(server)
    await signInAlone(nurse, {}, lind)
    const answer = await lind.call('POST', '/auth/step-up', {
      body: { passkey: theirs.get(await confirming(lind)) },
    })
    expect(answer.body).toMatchObject({ status: 400, why: 'passkey-wrong' })
  })

  test('a counter that does not go on is a copy of the key: refused and written down as that', async () => {
    const person = new Person(server)
    await signInAlone(nurse, {}, person)
    const { authenticator } = await enrolPasskey(person, { counter: 5 })
    expect((await signInAlone(authenticator)).status).toBe(200)
    const copy = new SoftwareAuthenticator(authenticator)
    expect((await signInAlone(authenticator)).status).toBe(200)
    expect((await signInAlone(copy)).status, 'the copy is one behind').toBe(401)
    expect(await reasonsNow('auth.passkey')).toEqual(['cloned-authenticator'])
    expect((await signInAlone(authenticator, { counter: 0 })).status, 'none where there was one').toBe(401)
    expect((await signInAlone(authenticator, { counter: 4_000_000_000 })).status).toBe(200)
  })

  test('of a disabled user', async () => {
    const haddad = await signedIn(server, 'lakeside/physician.haddad')
    const { authenticator } = await enrolPasskey(haddad)
    await server.database.query(`UPDATE users SET disabled_at = now() WHERE username = 'physician.haddad'`)
    expect((await signInAlone(authenticator)).status).toBe(401)
    expect((await auditOf(server, 'lakeside', { action: 'auth.passkey' })).at(-1)).toMatchObject({
      outcome: 'refused',
      reason: 'user-disabled',
    })
  })

  test.each([
    ['no passkey', {}],
    ['a field more', { admin: true }],
    ['too long a signature', { signature: 'A'.repeat(2_000) }],
    ['no base64url', { authenticatorData: '*'.repeat(50) }],
    ['bytes that are nothing', { authenticatorData: 'A'.repeat(60) }],
    ['client data that is no JSON', { clientDataJSON: 'A'.repeat(60) }],
  ])('that is malformed: %s', async (name, change) => {
    const person = new Person(server)
    const passkey = { ...(await answerAsStranger(person, nurse)), ...change }
    const body = name === 'no passkey' ? {} : { passkey }
    const { status } = await person.bare('POST', '/auth/passkey', { body })
    expect([400, 401]).toContain(status)
  })
})

describe('R-11 a new passkey is refused', () => {
  test.each<[string, Twist]>([
    ['of another page', { origin: 'https://wardline.example' }],
    ['of another relying party', { rpId: 'wardline.example' }],
    ['without the person verified', { flags: 0x01 }],
    ['to no challenge of ours', { challenge: 'A'.repeat(72) }],
    ['of a sign-in', { type: 'webauthn.get' }],
    // A certificate may name where its revocation list is: nobody has the server fetch anything.
    ['with a certificate', { fmt: 'packed', statement: [['x5c', cborArray([cborBytes(Buffer.alloc(8))])]] }],
    ['with a TPM’s statement', { fmt: 'tpm' }],
    ['with a statement of a kind that there is not', { fmt: 'wardline' }],
  ])('%s', async (_name, twist) => {
    const person = new Person(server)
    await signInAlone(nurse, {}, person)
    const answer = await confirmPasskey(person, new SoftwareAuthenticator({ origin: server.url }), twist)
    expect(answer.body).toMatchObject({ status: 400, why: 'passkey-wrong' })
  })

  test('to a challenge of another session, or of five minutes ago', async () => {
    const [one, other] = [new Person(server), new Person(server)]
    await signInAlone(nurse, {}, one)
    await signInAlone(nurse, {}, other)
    const begun = (await other.call('POST', '/me/factors/passkeys')).body as never
    const passkey = new SoftwareAuthenticator({ origin: server.url }).create(begun)
    const confirm = (person: Person) => person.call('POST', '/me/factors/passkeys/confirm', { body: { passkey } })
    expect((await confirm(one)).status).toBe(400)
    clock.advance(5 * MINUTE)
    await other.refresh()
    expect((await confirm(other)).status).toBe(400)
  })

  test('by who signed in with the password alone, while there is a factor', async () => {
    const person = new Person(server)
    const challenge = await challengeOf(person, NURSE)
    person.token = challenge
    expect((await person.call('POST', '/me/factors/passkeys')).status).toBe(401)
  })
})

test('R-65 no challenge, signature or user handle is logged or audited', async () => {
  const person = new Person(server)
  const passkey = await answerAsStranger(person, nurse)
  await person.signInByPasskey(passkey)
  const rows = await server.database.query<{ event: Buffer }>('SELECT event FROM audit_outbox')
  const kept = [...server.logged, ...rows.map(({ event }) => event.toString())].join('\n')
  const { challenge } = JSON.parse(Buffer.from(passkey.clientDataJSON, 'base64url').toString()) as { challenge: string }
  for (const text of [challenge, passkey.signature, passkey.clientDataJSON, nurse.id, nurse.userHandle ?? '']) {
    expect(kept).not.toContain(text)
  }
})
