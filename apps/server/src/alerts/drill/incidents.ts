import type { AlertKind } from '@wardline/protocol'
import { type AuditFact, auditAddress, auditId } from '../../audit/event.ts'
import { Actor, type Target } from './actor.ts'
import type { DrillPerson, Stage } from './stage.ts'

/** An incident to stage. */
export type Incident = {
  readonly kind: AlertKind
  /** What is done, in a few words. */
  readonly what: string
  /** Stages it, and answers whom the alert has to be about; null: of whom does not matter. */
  stage(stage: Stage, target: Target): Promise<string | null>
}

/** The server did not do as a drill needs it: not that an alarm did not ring. */
export class NotStaged extends Error {}

/** As the rules have them (apps/server/src/alerts/rules.ts), or a little more. */
const REFUSALS = 10
const BAD_PROOFS = 22
const WRONG_PASSWORDS = 8
const WRONG_FACTORS = 5
const MANY_PATIENTS = 81
/** Beyond the burst of 300 that a socket is allowed, so many at once. */
const PINGS = 480

async function signedIn(stage: Stage, target: Target, name: string): Promise<{ person: DrillPerson; actor: Actor }> {
  const person = await stage.addPerson(name)
  return { person, actor: await enter(target, person) }
}

async function enter(target: Target, { tenant, username, password }: DrillPerson): Promise<Actor> {
  const actor = new Actor(target)
  expectStatus(await actor.signIn(tenant, username, password), 200, 'sign in')
  return actor
}

function expectStatus(status: number, wanted: number, what: string): void {
  if (status !== wanted) throw new NotStaged(`the server answered ${status} to: ${what}`)
}

async function repeat(count: number, run: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < count; n += 1) await run()
}

export const INCIDENTS: readonly Incident[] = [
  {
    kind: 'refused-access',
    what: `asks for ${REFUSALS} patients of others`,
    async stage(stage, target) {
      const { person, actor } = await signedIn(stage, target, 'refused')
      await repeat(REFUSALS, () => actor.call('GET', `/patients/${crypto.randomUUID()}`))
      return person.id
    },
  },
  {
    kind: 'token-failures',
    what: `shows ${BAD_PROOFS} proofs that are for another call`,
    async stage(stage, target) {
      const { person, actor } = await signedIn(stage, target, 'tokens')
      await repeat(BAD_PROOFS, () => actor.call('GET', '/me', { proof: actor.proofFor('POST', '/me') }))
      return person.id
    },
  },
  {
    kind: 'proof-replay',
    what: 'shows one proof twice',
    async stage(stage, target) {
      const { person, actor } = await signedIn(stage, target, 'replay')
      const proof = actor.proofFor('GET', '/me')
      expectStatus((await actor.call('GET', '/me', { proof })).status, 200, 'a proof, the first time')
      expectStatus((await actor.call('GET', '/me', { proof })).status, 401, 'a proof, the second time')
      return person.id
    },
  },
  {
    kind: 'stolen-token',
    what: 'shows a token with the key of another device',
    async stage(stage, target) {
      const { person, actor } = await signedIn(stage, target, 'stolen')
      const thief = new Actor(target)
      thief.token = actor.token
      expectStatus((await thief.call('GET', '/me')).status, 401, 'a token from another device')
      thief.close()
      return person.id
    },
  },
  {
    kind: 'refresh-reuse',
    what: 'exchanges a sign-in cookie that was exchanged before',
    async stage(stage, target) {
      const { person, actor } = await signedIn(stage, target, 'reuse')
      const spent = actor.cookie
      expectStatus(await actor.refresh(), 200, 'exchange a cookie')
      const thief = new Actor(target)
      thief.csrf = actor.csrf
      expectStatus(await thief.refresh(spent), 401, 'exchange it again, from elsewhere')
      thief.close()
      return person.id
    },
  },
  {
    kind: 'sign-in-guessing',
    what: `tries ${WRONG_PASSWORDS} wrong passwords`,
    async stage(stage, target) {
      const person = await stage.addPerson('guessed')
      const actor = new Actor(target)
      await repeat(WRONG_PASSWORDS, () => actor.signIn(person.tenant, person.username, 'not the password'))
      actor.close()
      return person.id
    },
  },
  {
    kind: 'factor-guessing',
    what: `fails ${WRONG_FACTORS} times to prove who it is`,
    async stage(stage, target) {
      const { person, actor } = await signedIn(stage, target, 'factor')
      const body = { password: 'not the password' }
      await repeat(WRONG_FACTORS, () => actor.call('POST', '/auth/step-up', { body }))
      return person.id
    },
  },
  {
    kind: 'limits',
    what: `sends ${PINGS} requests at once on a socket`,
    async stage(stage, target) {
      const { person, actor } = await signedIn(stage, target, 'limits')
      await actor.flood(PINGS)
      return person.id
    },
  },
  {
    kind: 'unusual-volume',
    what: `looks at ${MANY_PATIENTS} patients`,
    async stage(stage, target) {
      const person = await stage.addPerson('volume')
      const patients = await stage.addPatients(MANY_PATIENTS, person)
      const actor = await enter(target, person)
      for (const { id } of patients) expectStatus((await actor.call('GET', `/patients/${id}`)).status, 200, 'a patient')
      return person.id
    },
  },
  {
    kind: 'off-hours',
    what: 'changes an account outside of working hours',
    async stage(stage, target) {
      const role = await stage.addRole(['user.manage'])
      const person = await stage.addPerson('late', [role])
      const minute = Math.floor(Date.now() / 60_000) % 1440
      await stage.setWorkingHours({ zone: 'UTC', from: (minute + 600) % 1440, until: (minute + 660) % 1440 })
      const actor = await enter(target, person)
      const other = await stage.addPerson('other')
      const changed = await actor.call('PATCH', `/admin/users/${other.id}`, { body: { title: 'Drill' } })
      expectStatus(changed.status, 200, 'change an account')
      return person.id
    },
  },
  setUpLink('set-up-link', 'a nurse who has signed in', () => Promise.resolve(['nurse'])),
  setUpLink('privileged-set-up-link', 'an administrator', async (stage) => [await stage.addRole(['settings.manage'])]),
  {
    kind: 'factor-reset',
    what: 'takes the second factors of another away',
    async stage(stage, target) {
      const maker = await stage.addPerson('resetter', [await stage.addRole(['user.manage'])])
      const whose = await stage.addPerson('reset')
      const actor = await enter(target, maker)
      const reset = await actor.call('DELETE', `/admin/users/${whose.id}/factors`)
      expectStatus(reset.status, 204, 'take factors away')
      return maker.id
    },
  },
  {
    kind: 'tampered-message',
    what: 'reads a message whose stored bytes were changed',
    async stage(stage, target) {
      const person = await stage.addPerson('reader')
      const [patient] = await stage.addPatients(1, person)
      if (patient === undefined) throw new NotStaged('there is no patient')
      await stage.addTamperedMessage(patient, person)
      const actor = await enter(target, person)
      await actor.call('GET', `/channels/${patient.channel}/messages`)
      return null
    },
  },
  written('authenticator-clone', 'a security key counts backwards', (person) => ({
    ...byDrill(person),
    action: 'auth.second-factor',
    outcome: 'refused',
    reason: 'cloned-authenticator',
  })),
  written('emergency-access', 'emergency access is opened', (person) => ({
    ...byDrill(person),
    action: 'emergency-access.open',
    outcome: 'allowed',
  })),
]

/** Somebody makes the link for another who has signed in. */
function setUpLink(kind: AlertKind, whom: string, rolesOf: (stage: Stage) => Promise<string[]>): Incident {
  return {
    kind,
    what: `makes a set-up link for ${whom}`,
    async stage(stage, target) {
      const maker = await stage.addPerson(`${kind}-maker`, [await stage.addRole(['user.manage'])])
      const whose = await stage.addPerson(kind, await rolesOf(stage))
      await enter(target, whose)
      const actor = await enter(target, maker)
      const made = await actor.call('POST', `/admin/users/${whose.id}/set-up`, { body: { resetFactors: true } })
      expectStatus(made.status, 201, 'make a set-up link')
      return maker.id
    },
  }
}

/** What nobody can be made to do from outside: its event is written by the drill itself, into the log of a tenant of drills. */
function written(kind: AlertKind, what: string, factOf: (person: DrillPerson) => AuditFact): Incident {
  return {
    kind,
    what: `${what} (the event alone)`,
    async stage(stage) {
      const person = await stage.addPerson(kind)
      await stage.write(factOf(person))
      return person.id
    },
  }
}

/** The address is one of those that documentation uses (RFC 5737). */
function byDrill({ id }: DrillPerson): Pick<AuditFact, 'actor' | 'address'> {
  return { actor: auditId(id), address: auditAddress('192.0.2.1') }
}
