import { bySystem } from '../../apps/server/src/audit/by.ts'
import { createUser } from '../../apps/server/src/users/create.ts'
import type { MatrixCase, Standing, Subject } from '../../packages/policy/src/matrix/index.ts'
import { claimsOf, type Person, signedIn } from '../_util/person.ts'
import { PASSWORD, type TestServer } from '../_util/server.ts'
import { inTurns } from './in-turns.ts'
import { addThings, type Somebody } from './things.ts'

type Role = MatrixCase['role']

const ROLES = ['physician', 'nurse', 'pharmacist', 'unit-clerk', 'administrator', 'auditor'] as const
const COLLEAGUE = 'riverside/physician.okafor'

/** How one can stand in a database as it is today: it has no emergency access yet (cells.ts). */
const STANDINGS = [
  'on-team',
  'open-ended',
  'not-begun',
  'ended',
  'other-patient',
  'named-only',
  'member',
  'member-later',
  'stranger',
  'disabled',
] as const satisfies readonly Standing[]

/** Somebody of the matrix, and the ids of its subjects as they are for them. */
export type Asking = {
  readonly who: string
  readonly person: Person
  readonly role: Role
  readonly standing: Standing
  id(subject: Subject): string
  /** The device of the session that is this subject. */
  device(of: 'own-session' | 'others-session'): string
}

export type World = {
  readonly people: readonly Asking[]
  /** Whoever of this role stands so. */
  asking(cell: Pick<MatrixCase, 'role' | 'standing'>): Asking
}

/**
 * The matrix's small world in a database: a hospital where the subjects are, and a clinic from which others look over. Everybody has
 * signed in; after that an administrator disables those who are to be.
 */
export async function buildWorld(server: TestServer, standings: readonly Standing[] = STANDINGS): Promise<World> {
  const here = await addPeople(server, 'riverside', standings)
  const there = await addPeople(server, 'lakeside', ['other-tenant'])
  const colleague = server.users.get(COLLEAGUE) ?? ''
  const { shared, own } = await addThings(server, here, colleague)
  const anyones = own.get(here[0]?.id ?? '') ?? new Map()
  const colleaguesSession = sessionIn(await signedIn(server, COLLEAGUE))

  const world = new Map<string, Asking>()
  await inTurns([...here, ...there], async ({ id: me, role, standing, who }) => {
    const person = await signedIn(server, who)
    // Ended by one test: not the one that the others go on with.
    const another = standing === 'stranger' ? await signedIn(server, who) : person
    const ids = new Map<Subject, string>([
      ...shared,
      ...(own.get(me) ?? anyones),
      ['self', me],
      ['other-user', colleague],
      ['own-session', sessionIn(another)],
      ['others-session', colleaguesSession],
    ])
    const id = (subject: Subject) => ids.get(subject) ?? ''
    const devices = await devicesOf(server, [id('own-session'), id('others-session')])
    const device = (of: 'own-session' | 'others-session') => devices.get(id(of)) ?? ''
    world.set(`${role} ${standing}`, { who, person, role, standing, id, device })
  })
  const admin = await signedIn(server, 'riverside/admin.reyes')
  for (const { id } of here.filter(({ standing }) => standing === 'disabled')) {
    await admin.call('PATCH', `/admin/users/${id}`, { body: { disabled: true } })
  }
  return {
    people: [...world.values()],
    asking({ role, standing }) {
      const found = world.get(`${role} ${standing}`)
      if (found === undefined) throw new Error(`no ${role} stands ${standing}`)
      return found
    },
  }
}

async function addPeople(
  server: TestServer,
  slug: string,
  standings: readonly Standing[],
): Promise<(Somebody & { readonly role: Role; readonly who: string })[]> {
  const { database, passwords } = server.ctx
  const passwordHash = await passwords.hash(PASSWORD)
  const wanted = standings.flatMap((standing) => ROLES.map((role) => ({ standing, role })))
  return database.withTenant(server.tenants.get(slug) ?? '', async (tx) => {
    const made = []
    for (const { standing, role } of wanted) {
      const username = `${role}.${standing}`
      const account = { username, displayName: username, title: null, roles: [role], externalDigest: null }
      const id = await createUser(tx, { ...account, passwordHash, by: bySystem })
      made.push({ id, role, standing, who: `${slug}/${username}` })
    }
    return made
  })
}

async function devicesOf(server: TestServer, sessions: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await server.database.query<{ id: string; device_id: string }>(
    'SELECT id, device_id FROM sessions WHERE id = ANY($1)',
    [sessions],
  )
  return new Map(rows.map(({ id, device_id: device }) => [id, device]))
}

function sessionIn({ token }: Person): string {
  return String(claimsOf(token)['sid'])
}
