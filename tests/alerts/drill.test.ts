import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../_util/server.ts'

/** `wardline drill` as an operator runs it, beside a server that looks for alerts. */

const CLI = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url))
/** All that need not wait for refusals to be summed up, once a minute, and make few patients. */
const QUICK = [
  'refused-access',
  'proof-replay',
  'stolen-token',
  'refresh-reuse',
  'sign-in-guessing',
  'factor-guessing',
  'off-hours',
  'tampered-message',
  'authenticator-clone',
  'emergency-access',
  'set-up-link',
  'privileged-set-up-link',
  'factor-reset',
]

let server: TestServer

beforeAll(async () => {
  const alerts = { run: 'embedded', staleMs: 600_000, webhookNetworks: [], webhookCaFile: null } as const
  server = await startTestServer({ config: { sequencer: 'embedded', alerts } })
  // Where the operator's configuration has the authority to trust.
  const tls = join(server.dataDir, 'tls')
  mkdirSync(tls, { recursive: true })
  const authority = server.running.authorityFile ?? ''
  if (authority !== join(tls, 'authority.crt')) copyFileSync(authority, join(tls, 'authority.crt'))
})
afterAll(() => server.stop())

function drill(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = {
    PATH: process.env['PATH'],
    WARDLINE_DATA: server.dataDir,
    WARDLINE_DATABASE_URL: server.database.ownerUrl,
    WARDLINE_PUBLIC_URL: server.url,
  }
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, 'drill', ...args], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

const kindsIn = (out: string) => [...out.matchAll(/^(\S+) +rang after \d+\.\d s/gm)].map(([, kind]) => kind)

describe('R-74 the drill', () => {
  it('every alarm rings; accounts of the drill are shut, its alerts closed as such; nobody else is disturbed', async () => {
    const { code, out, err } = await drill('--only', QUICK.join(','), '--within', '60')
    expect([code, err], out).toEqual([0, ''])
    expect(new Set(kindsIn(out))).toEqual(new Set(QUICK))
    const [tenant] = await server.database.query<{ id: string }>("SELECT id FROM tenants WHERE slug = 'drill'")
    const alerts = await server.database.query<{ tenant_id: string; state: string; resolution: string }>(
      'SELECT DISTINCT tenant_id, state, resolution FROM alerts',
    )
    expect(alerts).toEqual([{ tenant_id: tenant?.id, state: 'closed', resolution: 'drill' }])
    const open = await server.database.query("SELECT FROM users WHERE username LIKE 'drill.%' AND disabled_at IS NULL")
    const live = await server.database.query('SELECT FROM sessions WHERE tenant_id = $1 AND ended_at IS NULL', [
      tenant?.id,
    ])
    expect([open, live]).toEqual([[], []])
  })

  it('says which alarm did not ring, and fails', async () => {
    // The rules see nothing of it: the place that they have come to is ahead of the log.
    await server.database.query('UPDATE alert_cursors SET next_index = 1000000')
    const { code, out } = await drill('--only', 'proof-replay', '--within', '2')
    expect(code).toBe(1)
    expect(out).toContain('silent after 2 s')
    expect(out).toContain('NOT all rang: proof-replay')
  })

  it('does not go where people work, and not by a wrong name', async () => {
    expect(await drill('--tenant', 'riverside')).toMatchObject({ code: 1, out: '' })
    expect(await drill('--only', 'audit-gap')).toMatchObject({ code: 1, out: '' })
    expect((await drill('--within', '0')).err).toContain('--within takes a whole number')
  })
})
