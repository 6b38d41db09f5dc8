import { randomUUID } from 'node:crypto'
import { type AdminUser, adminUser, directoryEntry, page, role } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentBus } from '../../apps/server/src/bus/bus.ts'
import { auditOf } from '../_util/audit.ts'
import { Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

let server: TestServer
let admin: Person
beforeAll(async () => {
  server = await startTestServer()
  admin = await signedIn(server, 'riverside/admin.reyes')
})
afterAll(() => server.stop())

const idOf = (who: string) => server.users.get(`riverside/${who}`) ?? ''
const PASSWORD = 'chosen at creation 1'
let made = 0

/** A new person of the tenant, who can sign in. */
async function add(...roles: string[]): Promise<AdminUser> {
  made += 1
  const body = { username: `new.person${made}`, displayName: `Neu Person ${made}`, roles, password: PASSWORD }
  const answer = await admin.call('POST', '/admin/users', { body })
  expect(answer.status).toBe(201)
  return adminUser.parse(answer.body)
}

async function signIn(user: AdminUser): Promise<Person> {
  const person = new Person(server)
  const answer = await person.signIn('riverside', user.username, { password: PASSWORD })
  expect(answer.status).toBe(200)
  return person
}

const change = (id: string, body: unknown, by = admin) => by.call('PATCH', `/admin/users/${id}`, { body })

describe('POST /admin/users', () => {
  it('an account that can be signed in to; each role it got is an event', async () => {
    const user = await add('nurse', 'unit-clerk')
    expect(user).toMatchObject({ kind: 'person', roles: ['nurse', 'unit-clerk'], disabled: false, title: null })
    expect((await signIn(user)).user).toMatchObject({ id: user.id, roles: ['nurse', 'unit-clerk'] })
    const given = await auditOf(server, 'riverside', { action: 'role.assign', user: user.id })
    expect(new Set(given.map((event) => event.role))).toEqual(new Set(['nurse', 'unit-clerk']))
    expect(
      await auditOf(server, 'riverside', { action: 'user.create', user: user.id, actor: admin.user.id }),
    ).toHaveLength(1)
  })

  it('the password is in no answer, no log line and no row', async () => {
    const user = await add()
    const rows = await server.database.query<{ text: string }>('SELECT u::text AS text FROM users u WHERE id = $1', [
      user.id,
    ])
    expect(rows[0]?.text).toContain('$argon2id$')
    for (const text of [rows[0]?.text ?? '', server.logged.join('')]) expect(text).not.toContain(PASSWORD)
  })

  it('a user name that is taken, a role that is not there', async () => {
    const taken = { username: 'nurse.lind', displayName: 'Another', roles: [] }
    expect(await admin.call('POST', '/admin/users', { body: taken })).toMatchObject({
      status: 409,
      body: { code: 'conflict', fields: ['/username'] },
    })
    const unknown = { username: 'somebody', displayName: 'Some Body', roles: ['wizard'] }
    expect(await admin.call('POST', '/admin/users', { body: unknown })).toMatchObject({
      status: 400,
      body: { code: 'invalid', fields: ['/roles'] },
    })
  })

  it.each([
    { id: '00000000-0000-4000-8000-000000000000' },
    { tenantId: '00000000-0000-4000-8000-000000000000' },
    { passwordHash: 'x' },
    { version: 9 },
    { kind: 'service' },
    { disabled: false },
    { permissions: ['audit.read'] },
    { displayName: 'a\nb' },
    { displayName: '' },
    { username: 'Upper' },
    { password: 'short' },
    { roles: 'nurse' },
  ])('ASVS 15.3.3: refuses what is not to be set, or not so: %j', async (extra) => {
    const body = { username: 'mass.assigned', displayName: 'Mass', roles: [], ...extra }
    expect(await admin.call('POST', '/admin/users', { body })).toMatchObject({ status: 400, body: { code: 'invalid' } })
    expect(await server.database.query(`SELECT 1 FROM users WHERE username = 'mass.assigned'`)).toEqual([])
  })
})

describe('GET /admin/users', () => {
  it('every account once, by user name, page by page', async () => {
    const seen: AdminUser[] = []
    let query = '?limit=4'
    for (;;) {
      const { items, next } = page(adminUser).parse((await admin.call('GET', `/admin/users${query}`)).body)
      seen.push(...items)
      if (next === null) break
      query = `?limit=4&cursor=${next}`
    }
    const names = seen.map(({ username }) => username)
    expect(names).toEqual([...names].sort())
    const [row] = await server.database.query<{ n: string }>('SELECT count(*) AS n FROM users WHERE tenant_id = $1', [
      server.tenants.get('riverside'),
    ])
    expect(new Set(names).size).toBe(Number(row?.n))
  })

  it('auditors see accounts and change none [R-38]; clinicians do neither', async () => {
    const auditor = await signedIn(server, 'riverside/auditor.chen')
    expect((await auditor.call('GET', '/admin/users')).status).toBe(200)
    const body = { username: 'by.auditor', displayName: 'X', roles: [] }
    expect((await auditor.call('POST', '/admin/users', { body })).status).toBe(403)
    expect((await change(idOf('nurse.lind'), { disabled: true }, auditor)).status).toBe(403)
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    expect((await nurse.call('GET', '/admin/users')).status).toBe(403)
    expect((await nurse.call('GET', '/admin/roles')).status).toBe(403)
  })
})

describe('PATCH /admin/users/:id', () => {
  it('R-19: who is disabled is out: session over, socket closed, no way back in', async () => {
    const user = await add('nurse')
    const person = await signIn(user)
    const socket = await openSocket(person)
    expect(adminUser.parse((await change(user.id, { disabled: true })).body).disabled).toBe(true)
    expect(await socket.closing()).toEqual({ code: 4403, reason: 'revoked' })
    expect((await person.call('GET', '/me')).status).toBe(401)
    expect((await person.refresh()).status).toBe(401)
    expect((await new Person(server).signIn('riverside', user.username, { password: PASSWORD })).status).toBe(401)
    expect(await auditOf(server, 'riverside', { action: 'user.disable', user: user.id })).toMatchObject([{ count: 1 }])

    expect((await change(user.id, { disabled: false })).status).toBe(200)
    expect((await person.call('GET', '/me')).status).toBe(401)
    await signIn(user)
  })

  it('R-33: roles hold from the next call on, and each that came or went is an event', async () => {
    const user = await add('auditor')
    const person = await signIn(user)
    expect((await person.call('GET', '/admin/users')).status).toBe(200)
    expect((await change(user.id, { roles: ['nurse'] })).status).toBe(200)
    expect((await person.call('GET', '/admin/users')).status).toBe(403)
    expect(await auditOf(server, 'riverside', { action: 'role.revoke', user: user.id })).toMatchObject([
      { role: 'auditor' },
    ])
    const given = await auditOf(server, 'riverside', { action: 'role.assign', user: user.id })
    expect(given.map((event) => event.role)).toEqual(['auditor', 'nurse'])
  })

  it('names and titles; and what holds already is written down as asked for', async () => {
    const user = await add('nurse')
    const changed = adminUser.parse((await change(user.id, { displayName: 'Other Name', title: 'RN' })).body)
    expect(changed).toMatchObject({ displayName: 'Other Name', title: 'RN', roles: ['nurse'] })
    expect(adminUser.parse((await change(user.id, { title: null })).body).title).toBeNull()
    expect((await change(user.id, {})).status).toBe(200)
    expect((await change(user.id, { disabled: false, roles: ['nurse'] })).status).toBe(200)
    expect(await auditOf(server, 'riverside', { action: 'user.update', user: user.id })).toHaveLength(4)
  })

  it('R-38: not oneself, and not one’s own roles', async () => {
    for (const body of [{ disabled: true }, { roles: ['administrator', 'auditor'] }, { displayName: 'Me' }]) {
      expect((await change(admin.user.id, body)).status).toBe(403)
    }
    const refused = await auditOf(server, 'riverside', { user: admin.user.id, outcome: 'refused' })
    expect(refused.map(({ reason }) => reason)).toEqual(['own-account', 'own-account', 'own-account'])
  })

  it('R-30: managing accounts is not giving out roles: who may do the one may not do the other', async () => {
    const tenantId = server.tenants.get('riverside') ?? ''
    const roleId = randomUUID()
    await server.ctx.database.withTenant(tenantId, async (tx) => {
      await tx.db.role.create({ data: { tenantId, id: roleId, name: 'help-desk', label: 'Help desk' } })
      const given = ['user.read', 'user.manage', 'directory.read'].map((permission) => ({
        tenantId,
        roleId,
        permission,
      }))
      await tx.db.rolePermission.createMany({ data: given })
      tx.audit({ action: 'role.create', outcome: 'allowed' })
    })
    const desk = await signIn(await add('help-desk'))
    const user = await add('nurse')
    expect((await change(user.id, { title: 'By the help desk' }, desk)).status).toBe(200)
    expect((await change(user.id, { title: 'No', roles: ['physician'] }, desk)).status).toBe(403)
    const body = { username: 'by.help.desk', displayName: 'X', roles: ['nurse'] }
    expect((await desk.call('POST', '/admin/users', { body })).status).toBe(403)
    expect((await desk.call('POST', '/admin/users', { body: { ...body, roles: [] } })).status).toBe(201)
    const { items } = page(adminUser).parse((await admin.call('GET', '/admin/users?limit=200')).body)
    expect(items.find(({ id }) => id === user.id)).toMatchObject({ title: 'By the help desk', roles: ['nurse'] })
  })

  it('two administrators at once: the roles of one of them, whole, and never of both', async () => {
    const user = await add()
    await Promise.all([change(user.id, { roles: ['nurse'] }), change(user.id, { roles: ['physician', 'pharmacist'] })])
    const { items } = page(adminUser).parse((await admin.call('GET', '/admin/users?limit=200')).body)
    const roles = items.find(({ id }) => id === user.id)?.roles
    expect([['nurse'], ['pharmacist', 'physician']]).toContainEqual(roles)
  })

  it.each([
    { username: 'other' },
    { password: 'a new password' },
    { passwordHash: 'x' },
    { version: 1 },
    { disabledAt: null },
    { roles: [1] },
    { disabled: 'yes' },
    { kind: 'service' },
  ])('refuses %j', async (body) => {
    expect(await change(idOf('nurse.lind'), body)).toMatchObject({ status: 400, body: { code: 'invalid' } })
  })
})

describe('GET /directory, POST /directory/search', () => {
  const entries = page(directoryEntry)

  it('those who can sign in, by name, with their roles; the disabled and other tenants are not in it', async () => {
    const gone = await add('nurse')
    await change(gone.id, { disabled: true })
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const { items } = entries.parse((await nurse.call('GET', '/directory?limit=200')).body)
    expect(items.find(({ id }) => id === nurse.user.id)).toEqual({
      id: nurse.user.id,
      displayName: 'Astrid Lind',
      title: 'RN, 4 West',
      roles: ['nurse'],
    })
    const ids = items.map(({ id }) => id)
    expect(ids).not.toContain(gone.id)
    expect(ids).not.toContain(server.users.get('lakeside/physician.haddad'))
    const names = items.map(({ displayName }) => displayName)
    expect(names).toEqual([...names].sort(new Intl.Collator('en', { sensitivity: 'base', numeric: true }).compare))
  })

  it('page by page, each once', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const all = entries.parse((await nurse.call('GET', '/directory?limit=200')).body).items
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const query: string = cursor === null ? '?limit=3' : `?limit=3&cursor=${cursor}`
      const { items, next } = entries.parse((await nurse.call('GET', `/directory${query}`)).body)
      seen.push(...items.map(({ id }) => id))
      cursor = next
    } while (cursor !== null)
    expect(seen).toEqual(all.map(({ id }) => id))
  })

  it('is searched by name and title; what was typed is in no log line', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const find = async (q: string) => {
      const answer = await nurse.call('POST', '/directory/search', { body: { q } })
      return entries.parse(answer.body).items.map(({ displayName }) => displayName)
    }
    expect(await find('OKAFOR')).toEqual(['Dr. Chidi Okafor'])
    expect(await find('4 west')).toEqual(['Astrid Lind', 'Devon Moss'])
    expect(await find('nobodyatall')).toEqual([])
    expect(server.logged.join('')).not.toContain('nobodyatall')
  })
})

it('GET /admin/roles: the six that every tenant starts with, and what each gives', async () => {
  const answered = page(role).parse((await admin.call('GET', '/admin/roles')).body)
  const items = answered.items.filter(({ system }) => system)
  expect(items.map(({ name }) => name)).toEqual([
    'administrator',
    'auditor',
    'nurse',
    'pharmacist',
    'physician',
    'unit-clerk',
  ])
  expect(items.find(({ name }) => name === 'auditor')?.permissions).not.toContain('user.manage')
})

it('R-19: disabled on one node is out on the other, with every hint lost too', async () => {
  const other = await startTestServer({ beside: server, bus: () => silentBus })
  try {
    const user = await add('nurse')
    const person = await signIn(user)
    const socket = await openSocket(person, other)
    await change(user.id, { disabled: true })
    expect(await socket.closing()).toMatchObject({ code: 4403 })
    expect((await person.call('GET', '/me', { at: other })).status).toBe(401)
  } finally {
    await other.stop()
  }
})
