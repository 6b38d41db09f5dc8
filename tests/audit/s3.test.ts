import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { logStore } from '../../apps/server/src/audit/log-store.ts'
import { systemClock } from '../../apps/server/src/clock.ts'
import { createTestDatabase, type TestDatabase } from '../_util/database.ts'
import { CREDENTIALS, type FakeS3, startFakeS3 } from '../_util/fake-s3.ts'
import { createTestLog, type TestLog } from '../_util/sequencer.ts'

/** The sequencer and the command line on a bucket in place of a folder (a fake one: tests/_util/fake-s3.ts). */

const CLI = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url))
let s3: FakeS3
let store: TestDatabase
let log: TestLog

beforeAll(async () => {
  s3 = await startFakeS3(() => systemClock.now())
  store = await createTestDatabase()
  log = await createTestLog(store)
})
afterAll(async () => {
  await log.remove()
  await store.drop()
  await s3.close()
})

const place = () => ({
  auditDir: '',
  auditS3: { url: s3.url, region: 'eu-test-1', ...CREDENTIALS, retentionDays: 2_192 },
})

function verify(): Promise<{ code: number; text: string }> {
  const env = {
    PATH: process.env['PATH'],
    WARDLINE_KEYS_DIR: log.keysDir,
    WARDLINE_AUDIT_S3_URL: s3.url,
    WARDLINE_AUDIT_S3_REGION: 'eu-test-1',
    WARDLINE_AUDIT_S3_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    WARDLINE_AUDIT_S3_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  }
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, 'audit', 'verify'], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), text: out + err })
    })
  })
}

it('R-72 the log is written to a bucket, outlives an outage of it, and is verified from there', async () => {
  const database = await store.open()
  const notes = () =>
    Promise.all(
      Array.from({ length: 300 }, () => database.auditOnly(null, { action: 'socket.connect', outcome: 'refused' })),
    )
  await notes()
  const sequencer = log.sequencer({ tiles: logStore(place()) })
  expect(await log.settle(sequencer)).toMatchObject({ is: 'leading', size: 301 })
  s3.failures.push(503)
  await notes()
  await sequencer.step()
  expect(sequencer.state).toEqual({ is: 'failing', reason: 'HTTP 503' })
  await sequencer.step()
  expect(await log.settle(sequencer)).toMatchObject({ is: 'leading', size: 602 })
  expect(await log.verify(logStore(place()))).toMatchObject({ ok: true, entries: 602 })
  expect(await verify()).toMatchObject({ code: 0, text: expect.stringContaining('ok: 602 entries') })
  s3.objects.delete('logs/hospital/tile/entries/000')
  expect(await verify()).toMatchObject({ code: 11 })
})
