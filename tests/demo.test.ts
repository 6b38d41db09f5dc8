import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../apps/server/src/clock.ts'
import { type DemoAccount, seedDemo } from '../apps/server/src/demo/seed.ts'
import { createKeyring, type Keyring } from '../apps/server/src/keys/keyring.ts'
import { openDemographics } from '../apps/server/src/patients/demographics.ts'
import type { Database } from '../apps/server/src/storage/open.ts'
import { createPasswords } from '../apps/server/src/users/password.ts'
import { createTestDatabase, type TestDatabase } from './_util/database.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'wardline-demo-'))
const file = join(dataDir, 'demo-accounts.json')
let db: TestDatabase
let database: Database
let keyring: Keyring

beforeAll(async () => {
  db = await createTestDatabase()
  database = await db.open()
  keyring = createKeyring({ database, keys: db.keys, clock: systemClock })
})
afterAll(async () => {
  await db.drop()
  rmSync(dataDir, { recursive: true })
})

const hashes = await createPasswords({ memoryKiB: 64, iterations: 2, parallelism: 1, concurrency: 2 }, 100)
const seed = () => seedDemo({ database, keyring, passwords: hashes, dataDir })

async function canSignIn({ tenant, username, password }: DemoAccount): Promise<boolean> {
  const row = await database.findTenant(tenant)
  if (row === null) return false
  const where = { tenantId_username: { tenantId: row.id, username } }
  const user = await database.readTenant(row.id, (tx) => tx.user.findUniqueOrThrow({ where }))
  return (await hashes.verify(user.passwordHash, password, 'anybody')).matches
}

it('makes two tenants, their people and their patients, and writes the sign-ins to a private file', async () => {
  const accounts = await seed()
  expect(accounts.map(({ tenant, username, roles }) => `${tenant} ${username} ${roles.join()}`)).toEqual([
    'riverside physician.okafor physician',
    'riverside nurse.lind nurse',
    'riverside pharmacist.vega pharmacist',
    'riverside clerk.moss unit-clerk',
    'riverside admin.reyes administrator',
    'riverside auditor.chen auditor',
    'lakeside physician.haddad physician',
    'lakeside admin.novak administrator',
  ])
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(accounts)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(new Set(accounts.map(({ password }) => password)).size).toBe(accounts.length)
  for (const account of accounts) expect(await canSignIn(account), account.username).toBe(true)
  const withCodes = accounts.filter(({ totpSecret }) => totpSecret !== undefined)
  expect(withCodes.map(({ username }) => username)).toEqual(['admin.reyes', 'auditor.chen', 'admin.novak'])
  const factors = await db.query(
    'SELECT user_id FROM second_factors WHERE confirmed_at IS NOT NULL AND removed_at IS NULL',
  )
  expect(factors).toHaveLength(3)
})

it('every patient of the demonstration has a name, a number and somebody who may open their channel', async () => {
  for (const slug of ['riverside', 'lakeside']) {
    const tenant = await database.findTenant(slug)
    const tenantId = tenant?.id ?? ''
    const patients = await database.readTenant(tenantId, (tx) =>
      tx.patient.findMany({ where: { tenantId }, include: { careTeam: true, channels: true } }),
    )
    expect(patients.length, slug).toBeGreaterThan(1)
    for (const patient of patients) {
      const { family, given, mrn } = await openDemographics(keyring, tenantId, patient)
      expect([family, given, mrn].every((text) => text !== '')).toBe(true)
      expect(patient.channels).toHaveLength(1)
      expect(patient.careTeam.length, slug).toBeGreaterThan(0)
    }
  }
})

it('a second start changes nothing; where the file was lost or spoilt, the people get new passwords', async () => {
  const count = async () =>
    (
      await db.query<{ n: string }>(`SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM patients)
       + (SELECT count(*) FROM second_factors WHERE removed_at IS NULL) AS n`)
    )[0]?.n
  const before = [await seed(), await count()]
  expect([await seed(), await count()]).toEqual(before)
  writeFileSync(file, '{"not": "a list"}')
  const renewed = await seed()
  expect(await count()).toBe(before[1])
  for (const account of renewed) expect(await canSignIn(account), account.username).toBe(true)
  expect(renewed).not.toEqual(before[0])
})
