import { type Actor, noScopes, type Permission, withoutStepUp } from '@wardline/policy'
import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { type Frame, payloadOf } from '../gateway/frame.ts'
import type { AlertCounts } from '../storage/alert-rows.ts'
import { AlertNews } from './news.ts'

const TENANT = '10000000-0000-4000-8000-000000000000'

function actorWith(...permissions: Permission[]): Actor {
  return {
    tenant: TENANT,
    user: '20000000-0000-4000-8000-000000000000',
    kind: 'person',
    status: 'active',
    roles: new Set(),
    permissions: new Set(permissions),
    careTeam: new Map(),
    emergencyAccess: new Map(),
    memberships: new Map(),
    scopes: { ...noScopes, families: new Set(['audit'] as const) },
    authTime: 0,
    acr: 'aal1',
    mtls: false,
  }
}

function world() {
  const clock = manualClock()
  const asked: string[] = []
  let counts: AlertCounts = { open: 2, changedAt: 1 }
  const news = new AlertNews({
    clock,
    policy: withoutStepUp,
    alertCounts: async (tenant) => {
      asked.push(tenant)
      return counts
    },
    onFault: (error) => {
      throw error
    },
  })
  const listener = (...permissions: Permission[]) => {
    const heard: unknown[] = []
    const send = (frame: Frame) => void heard.push(JSON.parse(payloadOf(frame).toString()))
    return { tenant: TENANT, actor: actorWith(...permissions), heard, send }
  }
  const second = async () => {
    clock.advance(1_000)
    await new Promise(setImmediate)
  }
  return { news, asked, listener, second, set: (next: AlertCounts) => (counts = next) }
}

describe('R-74 an open screen hears of alerts', () => {
  it('once at first, and when something has changed', async () => {
    const { news, listener, second, set } = world()
    const admin = listener('alert.read')
    news.join(admin)
    await second()
    await second()
    expect(admin.heard).toEqual([{ type: 'alerts.changed', open: 2 }])
    // One was closed and another raised: as many, and yet not the same.
    set({ open: 2, changedAt: 2 })
    await second()
    set({ open: 3, changedAt: 3 })
    await second()
    expect(admin.heard.slice(1)).toEqual([
      { type: 'alerts.changed', open: 2 },
      { type: 'alerts.changed', open: 3 },
    ])
  })

  it('R-34 only where they may see alerts; nothing is asked for those who may not', async () => {
    const { news, asked, listener, second } = world()
    const nurse = listener('channel.read')
    news.join(nurse)
    await second()
    expect([asked, nurse.heard]).toEqual([[], []])
    const admin = listener('alert.read')
    news.join(admin)
    await second()
    expect([admin.heard.length, nurse.heard.length]).toEqual([1, 0])
    news.leave(admin)
    news.leave(nurse)
    await second()
    expect(asked).toHaveLength(1)
  })
})
