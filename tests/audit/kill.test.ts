import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../_util/database.ts'
import { createTestLog, type TestLog } from '../_util/sequencer.ts'

const PROGRAM = fileURLToPath(new URL('../_util/run-sequencer.ts', import.meta.url))
/** More on demand: WARDLINE_TEST_KILLS=200. */
const KILLS = Number(process.env['WARDLINE_TEST_KILLS'] ?? 15)

let store: TestDatabase
let log: TestLog

beforeAll(async () => {
  store = await createTestDatabase()
  log = await createTestLog(store)
})
afterAll(async () => {
  await log.remove()
  await store.drop()
})

/** Starts one, lets it lead, and kills it (SIGKILL) so many milliseconds later. */
async function killedAfter(ms: number): Promise<void> {
  const { sequencerUrl: databaseUrl, dir: auditDir, keysDir, origin } = log
  const options = { databaseUrl, auditDir, auditS3: null, keysDir, origin, witnesses: [] }
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const over = once(child, 'exit')
  try {
    const said = await new Promise<string>((resolve) => {
      let all = ''
      child.stdout.on('data', (chunk: Buffer) => {
        all += chunk.toString()
        if (/"leading"|"refused"/.test(all)) resolve(all)
      })
    })
    expect(said).not.toContain('refused')
    await sleep(ms)
  } finally {
    child.kill('SIGKILL')
    await over
  }
}

it(
  `R-71 R-72 killed ${KILLS} times while events pour in, the log holds every event once, in order`,
  async () => {
    const database = await store.open()
    let isOver = false
    let written = 0
    const pouring = (async () => {
      while (!isOver) {
        const batch = Array.from({ length: 25 }, () =>
          database.auditOnly(null, { action: 'socket.connect', outcome: 'refused' }),
        )
        await Promise.all(batch)
        written += batch.length
        await sleep(5)
      }
    })()
    for (let n = 0; n < KILLS; n++) await killedAfter((n * 37) % 400)
    isOver = true
    await pouring
    expect(await log.settle()).toMatchObject({ is: 'leading', gaps: 0 })
    const report = await log.verify()
    expect(report).toMatchObject({ ok: true, findings: [] })
    const [own] = await store.query<{ n: string }>('SELECT count(*) AS n FROM audit_log.runs WHERE own IS NOT NULL')
    expect(report.entries).toBe(written + Number(own?.n))
  },
  60_000 + KILLS * 20_000,
)
