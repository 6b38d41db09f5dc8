import { randomUUID } from 'node:crypto'
import { asPhi } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditId } from '../../apps/server/src/audit/event.ts'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { postItem } from '../_util/channel-items.ts'
import { createTestDatabase, type SeededTenant, seedTenant, type TestDatabase } from '../_util/database.ts'

const CANARIES = ['CanaryBody', 'CanarySurname', 'CanaryMrn7741', 'CanaryTitle']

let store: TestDatabase
let database: Database
let tenant: SeededTenant

beforeAll(async () => {
  store = await createTestDatabase()
  database = await store.open()
  tenant = await seedTenant(database, store.keys)
})
afterAll(() => store.drop())

/** Every row of every table as a dump would write it; bytes both as hex and as what they are. */
async function dump(): Promise<string> {
  const tables = await store.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')",
  )
  const parts: string[] = []
  for (const { name } of tables) {
    const rows = await store.query<Record<string, unknown>>(`SELECT *, ${name}::text AS whole FROM ${name}`)
    for (const row of rows) {
      for (const value of Object.values(row))
        parts.push(value instanceof Buffer ? value.toString('latin1') : JSON.stringify(value))
    }
  }
  return parts.join('\n')
}

describe('R-60 R-65 a dump of the database', () => {
  it('holds no body, name, MRN or title, and does hold the rows', async () => {
    const { tenantId, keyring } = tenant
    const nurse = await tenant.addUser('nurse.lind')
    const channel = await tenant.addChannel(nurse)
    const patientId = randomUUID()
    const seal = (scope: string, row: string, purpose: string, text: string) =>
      keyring.seal(tenantId, channel.dataKeyId, { scope, row, purpose }, asPhi(text))
    await database.withTenant(tenantId, async (change) => {
      const dataKeyId = await keyring.createDataKey(change, tenantId, 'patient')
      await change.db.patient.create({
        data: {
          tenantId,
          id: patientId,
          dataKeyId,
          sealedDemographics: await seal(
            'patients',
            patientId,
            'demographics',
            '{"name":"CanarySurname","mrn":"CanaryMrn7741"}',
          ),
          mrnDigest: await keyring.digest(tenantId, 'mrn', 'CanaryMrn7741'),
        },
      })
      const sealedTitle = await seal(channel.id, channel.id, 'title', 'CanaryTitle')
      await change.db.channel.update({ where: { tenantId_id: { tenantId, id: channel.id } }, data: { sealedTitle } })
      change.audit({ action: 'patient.create', outcome: 'allowed', patient: auditId(patientId) })
    })
    const id = randomUUID()
    await database.commitBatch(tenantId, [
      postItem(channel.id, nurse, { id, body: await seal(channel.id, id, 'body', 'CanaryBody') }),
    ])
    const text = await dump()
    for (const canary of CANARIES) {
      for (const form of [
        canary,
        Buffer.from(canary).toString('hex'),
        Buffer.from(canary).toString('base64').replace(/=+$/, ''),
      ]) {
        expect(text.includes(form), form).toBe(false)
      }
    }
    for (const there of ['nurse.lind', patientId, 'message.posted', id]) expect(text, there).toContain(there)
  })
})
