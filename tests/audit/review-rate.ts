/**
 * The review of a long audit, measured: ten million events over six years in a scratch database, months and indexes as migrated.
 *
 *   nice node tests/audit/review-rate.ts [--events 10000000] [--folder FOLDER]
 *
 * A folder that is named is kept, and used again as it is. What the first of each five takes is from the disk after
 * `sync; echo 3 > /proc/sys/vm/drop_caches`.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { systemClock } from '../../apps/server/src/clock.ts'
import { providerOf } from '../../apps/server/src/keys/root-key.ts'
import { startEmbeddedPostgres } from '../../apps/server/src/storage/embedded-postgres.ts'
import { openDatabase } from '../../apps/server/src/storage/open.ts'
import { prepareDatabase } from '../../apps/server/src/storage/prepare.ts'

const MONTHS = 72
const RUNS = 5
const DAY_MS = 86_400_000
const TENANT = '00000000-0000-4000-8000-00000000cafe'
/** So many are on a care team, each for so long. */
const TEAM = 40
/** One hundredth of all events are about this patient; the others are spread over five thousand. */
const PATIENT = '00000000-0000-4000-8000-0000000000aa'

/** One month of events, evenly over its time, in the order of their places. $1 months ago, $2 how many, $3 the first place. */
const MONTH = `
  WITH drawn AS MATERIALIZED (
    SELECT $3::bigint + n AS place,
      date_trunc('milliseconds', m.begin + (n::float8 / $2) * (least(m.begin + interval '1 month', now()) - m.begin)) AS at,
      (ARRAY['message.post', 'channel.read', 'patient.read', 'receipt.mark', 'channel.subscribe', 'auth.login', 'socket.connect'])
        [1 + floor(random() * 7)] AS action,
      CASE WHEN random() < 0.01 THEN 'refused' ELSE 'allowed' END AS outcome,
      ('00000000-0000-4000-8000-' || lpad(to_hex(floor(random() * 2000)::int), 12, '0'))::uuid AS actor,
      CASE WHEN random() < 0.01 THEN $5::uuid
        ELSE ('00000000-0000-4000-9000-' || lpad(to_hex(floor(random() * 5000)::int), 12, '0'))::uuid END AS patient,
      ('00000000-0000-4000-a000-' || lpad(to_hex((n / 300)::int), 12, '0'))::uuid AS connection
    FROM generate_series(0, $2::int - 1) n,
      (SELECT date_trunc('month', now(), 'UTC') - make_interval(months => $1::int) AS begin) m
  ), made AS MATERIALIZED (
    SELECT place, at, action, outcome, actor, connection,
      CASE WHEN action IN ('patient.read', 'channel.read') AND place % 10 = 0 THEN NULL ELSE patient END AS patient FROM drawn
  ), logged AS (
    INSERT INTO audit_outbox (tenant_id, writer_id, writer_seq, at, event)
    SELECT $4::uuid, $4::uuid, place + 1, at, convert_to(json_build_object('action', action, 'actor', actor, 'at',
      to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'connection', connection, 'outcome', outcome, 'patient', patient,
      'tenant', $4::uuid, 'v', 1)::text, 'UTF8') FROM made
  )
  INSERT INTO audit_log.events SELECT $4::uuid, place, at, $4::uuid, place + 1, action, outcome, actor, patient, connection, 1, patient IS NULL
    FROM made`

const { values } = parseArgs({
  options: { events: { type: 'string', default: '10000000' }, folder: { type: 'string' } },
})
const events = Number(values.events)
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'wardline-review-'))
const say = (text: string) => process.stdout.write(`${text}\n`)

const postgres = await startEmbeddedPostgres({ dataDir: folder })
const owner = new pg.Client({ connectionString: postgres.url })
await owner.connect()
try {
  const keys = await providerOf(randomBytes(32))
  await owner.query('DELETE FROM installation').catch(() => undefined)
  const { appUrl } = await prepareDatabase({ ownerUrl: postgres.url, keys })
  await fill()
  await measure(appUrl)
} finally {
  await owner.end()
  await postgres.stop()
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true })
}

async function fill(): Promise<void> {
  const { rows } = await owner.query<{ count: string }>('SELECT coalesce(sum(count), 0) AS count FROM audit_log.hours')
  if (Number(rows[0]?.count) > 0) return
  const began = Date.now()
  for (const table of ['audit_outbox', 'audit_log.events']) {
    const part = `audit_parts.${table === 'audit_outbox' ? 'outbox' : 'events'}_first`
    await owner.query(`ALTER TABLE ${table} DETACH PARTITION ${part}`)
  }
  for (let ago = MONTHS - 1; ago >= 0; ago -= 1) {
    await owner.query("SELECT audit_log.make_month(date_trunc('month', now(), 'UTC') - make_interval(months => $1))", [
      ago,
    ])
    await owner.query(MONTH, [
      ago,
      Math.ceil(events / MONTHS),
      (MONTHS - 1 - ago) * Math.ceil(events / MONTHS),
      TENANT,
      PATIENT,
    ])
  }
  await owner.query(
    `INSERT INTO audit_log.days SELECT tenant_id, date_trunc('day', at, 'UTC'), action, outcome, count(*) FROM audit_log.events GROUP BY 1, 2, 3, 4`,
  )
  await owner.query(
    `INSERT INTO audit_log.hours SELECT tenant_id, date_trunc('hour', at), action, outcome, count(*) FROM audit_log.events GROUP BY 1, 2, 3, 4`,
  )
  await owner.query(`INSERT INTO audit_log.indexed (next_index, safe_at) VALUES ($1, now() + interval '40 days')`, [
    events,
  ])
  await owner.query('VACUUM ANALYZE audit_log.events')
  say(`filled with ${events} events in ${Math.round((Date.now() - began) / 1000)} s`)
}

async function measure(appUrl: string): Promise<void> {
  const database = await openDatabase({ appUrl, clock: systemClock })
  const period = { from: 0, until: Date.now() }
  const year = { from: Date.now() - 365 * DAY_MS, until: Date.now() }
  const team = (days: number) =>
    Array.from({ length: TEAM }, (_, n) => {
      const actor = `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
      const until = period.until - (days > 365 ? 0 : n * 50 * DAY_MS)
      return { actor, from: until - days * DAY_MS, until }
    })
  const newest = { at: Date.now(), writerId: randomUUID(), writerSeq: 0 }
  const asked: Record<string, () => Promise<unknown[]>> = {
    'who saw this patient, six years (one event in a hundred is theirs)': () =>
      database.patientContacts(TENANT, PATIENT, period),
    'who saw this patient, the last year': () => database.patientContacts(TENANT, PATIENT, year),
    'lists of 40 people who were on the care team for a month each': () => database.openedLists(TENANT, team(30)),
    'lists of 40 people who were on it for six years': () => database.openedLists(TENANT, team(6 * 365)),
    'histogram of everything, six years': () => database.countAudit(TENANT, {}, period, 28 * DAY_MS),
    'histogram of what was refused, six years': () =>
      database.countAudit(TENANT, { outcome: 'refused' }, period, 28 * DAY_MS),
    'histogram of one patient, six years': () => database.countAudit(TENANT, { patient: PATIENT }, period, 28 * DAY_MS),
    'a page of 100: one patient': () =>
      database.findAudit(TENANT, { patient: PATIENT }, { before: newest, limit: 100 }),
    'a page of 100: refused': () => database.findAudit(TENANT, { outcome: 'refused' }, { before: newest, limit: 100 }),
    'a page of 100: everything': () => database.readAudit(TENANT, { limit: 100 }),
  }
  for (const [name, ask] of Object.entries(asked)) {
    const took: number[] = []
    let rows = 0
    for (let run = 0; run < RUNS; run += 1) {
      const began = performance.now()
      rows = (await ask()).length
      took.push(performance.now() - began)
    }
    const [first = 0] = took
    const sorted = took.toSorted((a, b) => a - b)
    say(
      `${name}: median ${ms(sorted[Math.floor(RUNS / 2)])} (first ${ms(first)}, worst ${ms(sorted.at(-1))}), ${rows} rows`,
    )
  }
  await database.close()
  const { rows } = await owner.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT actor, action, outcome, count(*), min(at), max(at) FROM audit_log.events
     WHERE tenant_id = '${TENANT}' AND patient = '${PATIENT}' AND at >= now() - interval '60 days' AND at < now() GROUP BY 1, 2, 3`,
  )
  for (const row of rows) say(row['QUERY PLAN'])
}

function ms(value = 0): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`
}
