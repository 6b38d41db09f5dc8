import { type AuditEventView, auditCheckpoint, auditEventView, auditProof, page } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../apps/server/src/clock.ts'
import { type KnownKey, verifyRow } from '../../apps/web/src/audit/proof.ts'
import { checkProof } from '../../packages/transparency-log/src/browser.ts'
import { directoryStore } from '../../packages/transparency-log/src/directory-store.ts'
import {
  COSIGNATURE,
  generateNoteKey,
  parseNote,
  parseSignerKey,
  signNote,
} from '../../packages/transparency-log/src/index.ts'
import { auditOf } from '../_util/audit.ts'
import { faultsOf } from '../_util/fhir-audit-event.ts'
import { addPatient, type TestPatient } from '../_util/patients.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { createTestLog, type TestLog } from '../_util/sequencer.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

/** The review of the audit (R-73) on a server whose log is sequenced when a test says so. */

let server: TestServer
let log: TestLog
let auditor: Person
let stranger: Person
let patient: TestPatient

/** Of a witness that nobody reaches here: its signature is put beside the log by hand. */
const witness = generateNoteKey('witness.example', COSIGNATURE)

beforeAll(async () => {
  const witnesses = [{ url: 'http://127.0.0.1:9', vkey: witness.vkey }]
  server = await startTestServer({ config: { witnesses } })
  log = await createTestLog(server.database, systemClock, server.ctx.config)
  auditor = await signedIn(server, 'riverside/auditor.chen')
  stranger = await signedIn(server, 'lakeside/admin.novak')
  const nurse = await signedIn(server, 'riverside/nurse.lind')
  const people = { family: 'Canaryname', given: 'C', mrn: 'CANARY 1' }
  patient = await addPatient(server, 'riverside', people, 'nurse.lind')
  for (let n = 0; n < 12; n += 1) await nurse.call('GET', `/patients/${patient.id}`)
})
afterAll(async () => {
  await log.remove()
  await server.stop()
})

const list = async (query: string) => {
  const answer = await auditor.call('GET', `/admin/audit/events${query}`)
  expect(answer.status, answer.text).toBe(200)
  return page(auditEventView).parse(answer.body)
}

/** The patient's events, all of them under a checkpoint. */
async function proved(): Promise<AuditEventView[]> {
  await log.settle()
  const { items } = await list(`?patient=${patient.id}&action=patient.read&limit=50`)
  const { size } = auditCheckpoint.parse((await auditor.call('GET', '/admin/audit/checkpoint')).body)
  expect(items.filter(({ index }) => index === null || index >= size)).toEqual([])
  return items
}

describe('the proof of an event', () => {
  it('R-72 each row has its place, and a proof that a browser can check', async () => {
    const rows = await proved()
    expect(rows).toHaveLength(12)
    const { vkey, origin } = auditCheckpoint.parse((await auditor.call('GET', '/admin/audit/checkpoint')).body)
    for (const row of rows) {
      const answer = await auditor.call('GET', `/admin/audit/events/${row.index}/proof`)
      const proof = auditProof.parse(answer.body)
      expect(proof).toMatchObject({ index: row.index, vkey, origin })
      const bytes = (text: string) => new TextEncoder().encode(text)
      const trust = { origin, logKeys: [vkey] }
      expect(await checkProof(bytes(proof.proof), bytes(proof.entry), trust)).toMatchObject({
        ok: true,
        index: row.index,
      })
      expect(JSON.parse(proof.entry)).toMatchObject({
        seq: row.seq,
        writer: row.writer,
        event: { action: 'patient.read', patient: patient.id, at: row.at },
      })
      const forged = proof.entry.replace('"allowed"', '"refused"')
      expect(await checkProof(bytes(proof.proof), bytes(forged), trust)).toEqual({ ok: false, fault: 'not-included' })
    }
  })

  it('R-72 every row, whatever it is about, says all that its entry says: the browser’s own check passes', async () => {
    await auditor.call('GET', `/admin/users/${server.tenants.get('lakeside')}`)
    await proved()
    const { items } = await list('?limit=200')
    const size = auditCheckpoint.parse((await auditor.call('GET', '/admin/audit/checkpoint')).body).size
    let first: string | null = null
    const known: KnownKey = { get: () => first, set: (vkey) => (first = vkey) }
    const rows = items.filter(({ index }) => index !== null && index < size)
    for (const row of rows) {
      const proof = auditProof.parse((await auditor.call('GET', `/admin/audit/events/${row.index}/proof`)).body)
      expect(await verifyRow(row, proof, known), proof.entry).toMatchObject({ ok: true })
    }
    const told = (has: (row: AuditEventView) => boolean) => rows.some(has)
    expect(told(({ count }) => count !== null) && told(({ also }) => also.length > 0)).toBe(true)
  })

  it('R-37 another tenant’s event is not there, and neither is the log’s own', async () => {
    const [row] = await proved()
    const answer = await stranger.call('GET', `/admin/audit/events/${row?.index}/proof`)
    expect(answer.status).toBe(404)
    expect(await auditOf(server, 'lakeside', { action: 'audit.read', outcome: 'refused' })).toMatchObject([
      { reason: 'tenant-wall', seq: row?.index },
    ])
    const places = await server.database.query<{ place: string }>(
      'SELECT first_index AS place FROM audit_log.runs WHERE own IS NOT NULL',
    )
    expect((await auditor.call('GET', `/admin/audit/events/${places[0]?.place}/proof`)).status).toBe(404)
  })

  it('what witnesses have cosigned is told with the checkpoint', async () => {
    const ask = async () => auditCheckpoint.parse((await auditor.call('GET', '/admin/audit/checkpoint')).body)
    const { checkpoint, size, witnessed } = await ask()
    expect(witnessed).toBeNull()
    const note = parseNote(Buffer.from(checkpoint))
    const cosigned = signNote(note?.text ?? '', [parseSignerKey(witness.skey)], 1_790_000_000, note?.signatures)
    await directoryStore(server.ctx.config.auditDir).write('witnessed', cosigned)
    const at = new Date(1_790_000_000_000).toISOString()
    expect((await ask()).witnessed).toEqual({ size, by: ['witness.example'], at })
    const stranger = signNote(
      note?.text ?? '',
      [parseSignerKey(generateNoteKey('x', COSIGNATURE).skey)],
      1,
      note?.signatures,
    )
    await directoryStore(server.ctx.config.auditDir).write('witnessed', stranger)
    expect((await ask()).witnessed).toBeNull()
  })

  it('beyond the checkpoint there is none yet; who may not read the audit gets none at all', async () => {
    expect((await auditor.call('GET', '/admin/audit/events/999999999/proof')).status).toBe(503)
    expect((await auditor.call('GET', '/admin/audit/events/x/proof')).status).toBe(400)
    const clerk = await signedIn(server, 'riverside/clerk.moss')
    for (const path of ['checkpoint', 'events/0/proof', 'export?format=csv']) {
      expect((await clerk.call('GET', `/admin/audit/${path}`)).status, path).toBe(403)
    }
  })
})

describe('the filters', () => {
  const queries = [
    (id: string) => `patient=${id}`,
    (id: string) => `patient=${id}&outcome=allowed`,
    () => 'action=auth.login',
    () => 'outcome=refused',
    () => 'outcome=allowed',
    () => `actor=${auditor.user.id}&action=auth.login`,
  ]

  it.each(queries.map((query, i) => [i, query] as const))(
    '%i: by the index as by reading through',
    async (_, query) => {
      const until = new Date(server.clock.now()).toISOString()
      const ask = async (limit: number) => {
        const found: AuditEventView[] = []
        for (let cursor: string | null = ''; cursor !== null; ) {
          const { items, next } = await list(
            `?${query(patient.id)}&until=${until}&limit=${limit}${cursor && `&cursor=${cursor}`}`,
          )
          found.push(...items)
          cursor = next
        }
        return found.map(({ writer, seq }) => `${writer}/${seq}`)
      }
      await proved()
      await server.database.query("UPDATE audit_log.indexed SET safe_at = 'epoch'")
      const [read, shortRead] = [await ask(200), await ask(3)]
      await indexedBefore(Date.parse(until))
      const [looked, shortLooked] = [await ask(200), await ask(3)]
      expect(read.length).toBeGreaterThan(0)
      expect(looked).toEqual(read)
      expect([shortRead, shortLooked]).toEqual([read, read])
    },
  )

  /** Has everything indexed, and says so of what happened before, in place of the sequencer, which waits for a minute. */
  async function indexedBefore(at: number): Promise<void> {
    await log.index()
    await server.database.query('UPDATE audit_log.indexed SET safe_at = $1', [new Date(at)])
  }
})

describe('the export', () => {
  const take = async (format: string, filter = `&patient=${patient.id}&action=patient.read`) => {
    const answer = await auditor.call('GET', `/admin/audit/export?format=${format}${filter}`)
    expect(answer.status, answer.text).toBe(200)
    return answer
  }

  it('NDJSON: every event that matches, as the list has it', async () => {
    const rows = await proved()
    const answer = await take('ndjson')
    expect(answer.headers['content-type']).toBe('application/x-ndjson')
    expect(answer.headers['content-disposition']).toBe('attachment; filename="audit.ndjson"')
    expect(
      answer.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(rows)
  })

  it('CSV: a line each, and no cell is a formula', async () => {
    const { tenantId, id } = { tenantId: server.tenants.get('riverside'), id: auditor.user.id }
    await server.database.query(
      `UPDATE users SET display_name = '=cmd|''/c calc''!A1,"x"' WHERE tenant_id = $1 AND id = $2`,
      [tenantId, id],
    )
    const { text } = await take('csv', `&actor=${id}`)
    const [head, first] = text.split('\r\n')
    expect(head).toContain('"index","at","writer","seq","action"')
    expect(first).toContain(`"'=cmd|'/c calc'!A1,""x"""`)
    expect(text).not.toMatch(/(?:^|,)"[=+@-]/m)
  })

  it('FHIR: one AuditEvent a line, valid by the schema of R4 and in the shapes of BALP', async () => {
    const lines = (await take('fhir')).text.trim().split('\n')
    expect(lines).toHaveLength(12)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      resourceType: 'AuditEvent',
      action: 'R',
      outcome: '0',
      agent: [{ network: { address: '127.0.0.1', type: '2' } }, { network: { type: '1' } }, { requestor: true }],
      entity: [
        { what: { identifier: { system: 'urn:wardline:patient', value: patient.id } }, role: { code: '1' } },
        { type: { code: '2' }, role: { code: '4' } },
      ],
    })
    const { text } = await auditor.call('GET', '/admin/audit/export?format=fhir')
    for (const line of text.trim().split('\n')) expect(faultsOf(JSON.parse(line)), line).toEqual([])
  })

  it('R-70 is in the audit when it begins and, with its count, when it ends; it needs its own permission', async () => {
    await take('ndjson')
    const events = await auditOf(server, 'riverside', { action: 'audit.export', outcome: 'allowed' })
    expect(events.map(({ count }) => count ?? null)).toEqual(expect.arrayContaining([null, 12]))
    const reader = await signedIn(server, 'riverside/admin.reyes')
    expect((await reader.call('GET', '/admin/audit/events')).status).toBe(200)
    expect((await reader.call('GET', '/admin/audit/export?format=csv')).status).toBe(403)
  })
})
