import { expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { Poller } from './poller.ts'

const POLL_MS = 500

/** A store whose answers about heads come when they are let, and those about versions at once. */
function setUp() {
  const clock = manualClock()
  const asked: string[] = []
  const learned: string[] = []
  const faults: unknown[] = []
  let answer = () => {}
  let away = false
  const poller = new Poller({
    clock,
    pollMs: POLL_MS,
    database: {
      pollVersions: async (tenant) => {
        asked.push(`versions of ${tenant}`)
        if (away) throw new Error('away')
        return { tenantVersion: 1, users: new Map([['nurse', 2]]) }
      },
      readHeads: (tenant) => {
        asked.push(`heads of ${tenant}`)
        return new Promise((resolve) => {
          answer = () => resolve(new Map([['ward', 7]]))
        })
      },
    },
    access: {
      forgetIdle: () => undefined,
      watched: () => [['riverside', ['nurse']] as const],
      learn: (tenant, askedAt, users, { users: versions }) =>
        learned.push(`${tenant} ${users.join()} ${versions.get('nurse')} as of ${askedAt - start}`),
    },
    hub: {
      tenants: () => ['riverside'],
      channels: () => ['ward'],
      learn: (_, channel, head) => learned.push(`${channel} ${head}`),
    },
    inboxes: { channels: () => [], learn: () => undefined },
    onFault: (error) => faults.push(error),
  })
  const start = clock.now()
  return {
    clock,
    poller,
    asked,
    learned,
    faults,
    answer: async () => {
      answer()
      await settle()
    },
    fail: (now: boolean) => {
      away = now
    },
  }
}

const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

it('R-19 asks what people may still do each period, however long it takes to read what was written', async () => {
  const { clock, poller, asked, learned, answer } = setUp()
  for (let period = 0; period < 3; period += 1) {
    clock.advance(POLL_MS)
    await settle()
  }
  expect(asked.filter((each) => each === 'versions of riverside')).toHaveLength(3)
  expect(asked.filter((each) => each === 'heads of riverside')).toHaveLength(1)
  expect(learned).toEqual([500, 1_000, 1_500].map((at) => `riverside nurse 2 as of ${at}`))
  await answer()
  expect(learned.at(-1)).toBe('ward 7')
  expect(asked.at(-1), 'what was asked for meanwhile').toBe('heads of riverside')
  await answer()
  await poller.close()
  expect(clock.pending).toBe(0)
})

it('P6 says that it could not ask, and asks again', async () => {
  const { clock, learned, faults, fail } = setUp()
  fail(true)
  clock.advance(POLL_MS)
  await settle()
  fail(false)
  clock.advance(POLL_MS)
  await settle()
  expect([faults.length, learned]).toEqual([1, ['riverside nurse 2 as of 1000']])
})
