import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { Access } from './access.ts'
import { type AccessSnapshot, isSessionLive } from './snapshot.ts'

const [TENANT, USER] = ['tenant', 'user']

/** A store whose answers come when they are let. */
function setUp() {
  const clock = manualClock()
  const stored = { version: 1, tenantVersion: 1, sessions: ['s1'], there: true }
  const pending: (() => void)[] = []
  /** Where readings wait that somebody asked for: with the others, or on a lane that is full. */
  let asked = pending
  let loads = 0
  const faults: unknown[] = []
  let fail = false
  const access = new Access({
    clock,
    maxAgeMs: 1_000,
    onFault: (error) => faults.push(error),
    load: () => read(asked),
    follow: () => read(pending),
  })
  function read(answers: (() => void)[]): Promise<AccessSnapshot | null> {
    loads += 1
    const answer = stored.there ? snapshot(stored) : null
    const failing = fail
    return new Promise((resolve, reject) => {
      answers.push(() => (failing ? reject(new Error('away')) : resolve(answer)))
    })
  }
  const answer = async () => {
    while (pending.length > 0) {
      pending.shift()?.()
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
    }
  }
  return {
    clock,
    stored,
    access,
    answer,
    faults,
    loads: () => loads,
    /** From now on. @returns lets those answers come after all */
    fillLane: () => {
      const waiting: (() => void)[] = []
      asked = waiting
      return () => pending.push(...waiting)
    },
    failing: (now: boolean) => {
      fail = now
    },
    load: async (how?: { fresh?: boolean }) => {
      const loading = access.load(TENANT, USER, how)
      await answer()
      return loading
    },
    watch: async () => {
      const watching = access.watch(TENANT, USER)
      await answer()
      const watch = await watching
      if (watch === null) throw new Error('not watched')
      return watch
    },
    learn: (version: number, tenantVersion = 1) =>
      access.learn(TENANT, clock.now(), [USER], { tenantVersion, users: new Map([[USER, version]]) }),
  }
}

function snapshot({
  version,
  tenantVersion,
  sessions,
}: {
  version: number
  tenantVersion: number
  sessions: string[]
}) {
  return {
    access: { tenant: TENANT, user: USER, status: 'active' },
    sessions: new Map(sessions.map((id) => [id, { expiresAt: Number.MAX_SAFE_INTEGER }])),
    channels: new Map(),
    version,
    tenantVersion,
  } as unknown as AccessSnapshot
}

describe('access', () => {
  it('is read once for all who ask at once, and again when it has grown old', async () => {
    const { access, answer, clock, loads, load } = setUp()
    const both = [access.load(TENANT, USER), access.load(TENANT, USER)]
    await answer()
    await Promise.all(both)
    const before = loads()
    await load()
    expect(loads()).toBe(before)
    clock.advance(1_001)
    await load()
    expect(loads()).toBe(before + 1)
    await load({ fresh: true })
    expect(loads()).toBe(before + 2)
  })

  it('is null for nobody', async () => {
    const { stored, load, access, answer } = setUp()
    stored.there = false
    expect(await load()).toBeNull()
    const watching = access.watch(TENANT, USER)
    await answer()
    expect(await watching).toBeNull()
    expect([...access.watched()]).toEqual([])
  })

  it('R-33 follows who is watched, by hint and by the poll, and lets go of who is not', async () => {
    const { stored, watch, access, answer, learn, loads } = setUp()
    const watched = await watch()
    const seen: number[] = []
    watched.onChange(({ version }) => seen.push(version))
    const before = loads()
    learn(1)
    access.changed(TENANT, USER, 1)
    expect(loads()).toBe(before)
    stored.version = 2
    access.changed(TENANT, USER, 2)
    await answer()
    expect(seen).toEqual([2])
    stored.version = 3
    learn(3)
    await answer()
    stored.tenantVersion = 2
    learn(3, 2)
    await answer()
    expect(seen).toEqual([2, 3, 3])
    expect(watched.snapshot.version).toBe(3)
    watched.stop()
    stored.version = 4
    access.changed(TENANT, USER, 4)
    await answer()
    expect(seen).toHaveLength(3)
    expect([...access.watched()]).toEqual([])
  })

  it('does not miss a change that comes while it reads', async () => {
    const { stored, watch, access, answer } = setUp()
    const watched = await watch()
    stored.version = 2
    access.changed(TENANT, USER, 2)
    stored.version = 3
    access.changed(TENANT, USER, 3)
    await answer()
    expect(watched.snapshot.version).toBe(3)
  })

  it('R-19 hears of a change while others wait for their turn, and does not fall back on what they bring', async () => {
    const { stored, watch, access, answer, fillLane, clock } = setUp()
    const watched = await watch()
    const empty = fillLane()
    clock.advance(1_001)
    const late = access.load(TENANT, USER)
    stored.version = 2
    access.changed(TENANT, USER, 2)
    await answer()
    await access.settled(TENANT, USER)
    expect(watched.snapshot.version).toBe(2)
    empty()
    await answer()
    expect((await late)?.version).toBe(2)
  })

  it('R-19 leaves no sign-in of a user that is gone', async () => {
    const { stored, watch, access, answer } = setUp()
    const watched = await watch()
    expect(isSessionLive(watched.snapshot, 's1', 0)).toBe(true)
    stored.there = false
    access.tenantChanged(TENANT)
    await answer()
    expect(isSessionLive(watched.snapshot, 's1', 0)).toBe(false)
  })

  it('does not pass off as current what it could not read anew', async () => {
    const { watch, access, answer, failing, faults, loads, load } = setUp()
    await watch()
    failing(true)
    access.changed(TENANT, USER)
    await answer()
    expect(faults).toHaveLength(1)
    failing(false)
    const before = loads()
    await load()
    expect(loads()).toBe(before + 1)
  })

  it('forgets who was only asked for once', async () => {
    const { load, access, clock, loads } = setUp()
    await load()
    access.forgetIdle()
    clock.advance(1_001)
    access.forgetIdle()
    const before = loads()
    await load()
    expect(loads()).toBe(before + 1)
  })
})
