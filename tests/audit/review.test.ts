import { setTimeout as sleep } from 'node:timers/promises'
import { type AuditEventView, auditCheckpoint, auditEventView, auditProof, page } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkProof } from '../../packages/transparency-log/src/browser.ts'
import { auditOf } from '../_util/audit.ts'
import { faultsOf } from '../_util/fhir-audit-event.ts'
import { addPatient, type TestPatient } from '../_util/patients.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

/** The review of the audit (R-73) on a server that sequences for itself. */

let server: TestServer
let auditor: Person
let stranger: Person
let patient: TestPatient

beforeAll(async () => {
  server = await startTestServer({ config: { sequencer: 'embedded' } })
  auditor = await signedIn(server, 'riverside/auditor.chen')
  stranger = await signedIn(server, 'lakeside/admin.novak')
  const nurse = await signedIn(server, 'riverside/nurse.lind')
  const people = { family: 'Canaryname', given: 'C', mrn: 'CANARY 1' }
  patient = await addPatient(server, 'riverside', people, 'nurse.lind')
  for (let n = 0; n < 12; n += 1) await nurse.call('GET', `/patients/${patient.id}`)
})
afterAll(() => server.stop())

const list = async (query: string) => {
  const answer = await auditor.call('GET', `/admin/audit/events${query}`)
  expect(answer.status, answer.text).toBe(200)
  return page(auditEventView).parse(answer.body)
}

/** The patient's events once all of them are under a checkpoint: the sequencer is given a few looks. */
async function proved(): Promise<AuditEventView[]> {
  for (;;) {
    const { items } = await list(`?patient=${patient.id}&action=patient.read&limit=50`)
    const answer = await auditor.call('GET', '/admin/audit/checkpoint')
    const size = answer.status === 200 ? auditCheckpoint.parse(answer.body).size : 0
    if (items.every(({ index }) => index !== null && index < size)) return items
    await sleep(50)
  }
}

describe('the proof of an event', () => {
  it('R-72 each row has its place within the merge delay, and a proof that a browser can check', async () => {
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

  /** Waits until the index holds what happened before, and says so in place of the sequencer, which waits for a minute. */
  async function indexedBefore(at: number): Promise<void> {
    for (;;) {
      const [row] = await server.database.query<{ behind: string }>(
        `SELECT count(*) AS behind FROM audit_outbox o WHERE o.at < $1 AND NOT EXISTS (
           SELECT FROM audit_log.events e WHERE (e.tenant_id, e.writer_id, e.writer_seq) = (o.tenant_id, o.writer_id, o.writer_seq))`,
        [new Date(at)],
      )
      if (row?.behind === '0') break
      await sleep(50)
    }
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
