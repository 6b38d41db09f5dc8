import { type FakeServer, fakeId } from '@wardline/client/fake-server'
import type { Alert, AlertDetail, AlertKind, AlertSeverity } from '@wardline/protocol'
import { auditEvents } from './audit-events.ts'
import type { Scene } from './scenes.ts'
import { lind, reyes, vega } from './world.ts'

const SEEN: readonly [AlertKind, AlertSeverity, { id: string; displayName: string } | null, number, number][] = [
  ['refresh-reuse', 'critical', lind, 1, 3],
  ['unusual-volume', 'high', vega, 84, 22],
  ['refused-access', 'medium', vega, 12, 31],
  ['sign-in-guessing', 'medium', null, 61, 95],
  ['audit-stalled', 'high', null, 4, 190],
  ['off-hours', 'low', reyes, 2, 600],
]

/** Invented alerts, the latest first. */
function alerts(): Alert[] {
  return SEEN.map(([kind, severity, who, count, minutes], index) => {
    const at = (ago: number) => new Date(Date.now() - ago * 60_000).toISOString()
    const acknowledged = { by: { id: reyes.id, displayName: reyes.displayName }, at: at(minutes - 2) }
    return {
      id: fakeId(0x501 + index),
      kind,
      severity,
      state: index === 1 || index === 4 ? 'acknowledged' : 'open',
      scope: who === null ? 'installation' : 'tenant',
      user: who === null ? null : { id: who.id, displayName: who.displayName },
      address: kind === 'audit-stalled' ? null : '198.51.100.23',
      patient: null,
      count,
      firstAt: at(minutes + 6),
      lastAt: at(minutes),
      raisedAt: at(minutes + 6),
      acknowledged: index === 1 || index === 4 ? acknowledged : null,
      closed: null,
    }
  })
}

function detail(index: number): AlertDetail {
  const [first] = alerts().slice(index, index + 1)
  if (first === undefined) throw new Error('no such alert')
  const events = auditEvents(60).filter(({ outcome }) => outcome === 'refused')
  return { ...first, events: first.scope === 'tenant' ? events : [] }
}

const delivery = { attempts: 1, status: 204, fault: null, nextAt: null } as const

/** A server with alerts, and what is beside them. */
function withAlerts(server: FakeServer, items: readonly Alert[] = alerts()): void {
  server.http('GET /admin/alerts', () => ({ status: 200, body: { items, next: null } }))
  for (const index of SEEN.keys()) {
    server.http(`GET /admin/alerts/${fakeId(0x501 + index)}`, () => ({ status: 200, body: detail(index) }))
  }
  server.http('GET /admin/alert-settings', () => ({
    status: 200,
    body: { workingHours: { zone: 'America/Chicago', from: 360, until: 1200 } },
  }))
  server.http('GET /admin/alert-webhook', () => ({
    status: 200,
    body: {
      url: 'https://pager.riverside.example/hooks/wardline',
      changedAt: new Date().toISOString(),
      deliveries: [
        {
          ...delivery,
          id: fakeId(0x601),
          alert: fakeId(0x501),
          state: 'delivered',
          createdAt: new Date().toISOString(),
        },
        {
          id: fakeId(0x602),
          alert: null,
          state: 'waiting',
          attempts: 2,
          status: null,
          fault: 'tls',
          createdAt: new Date(Date.now() - 90_000).toISOString(),
          nextAt: new Date(Date.now() + 60_000).toISOString(),
        },
      ],
    },
  }))
}

export const alertScenes: readonly Scene[] = [
  {
    name: 'alerts',
    who: reyes.username,
    path: '/alerts',
    before: withAlerts,
    act: async (page, server) => {
      server.send({ type: 'alerts.changed', open: 4 })
      await page.getByText('A spent sign-in cookie came back').waitFor()
    },
  },
  {
    name: 'alert',
    who: reyes.username,
    path: `/alerts/${fakeId(0x502)}`,
    before: withAlerts,
    act: (page) => page.getByRole('heading', { name: 'What to do' }).waitFor(),
  },
  {
    name: 'alert-installation',
    who: reyes.username,
    path: `/alerts/${fakeId(0x504)}`,
    before: withAlerts,
    act: (page) => page.getByText('belong to no organisation').waitFor(),
  },
  {
    name: 'alerts-empty',
    who: reyes.username,
    path: '/alerts',
    before: (server) => withAlerts(server, []),
    act: (page) => page.getByText('Nothing to look at').waitFor(),
  },
  {
    name: 'alerts-failed',
    who: reyes.username,
    path: '/alerts',
    before: (server) => server.http('GET /admin/alerts', () => ({ status: 500, body: '' })),
    act: (page) => page.getByText('Something failed').waitFor({ timeout: 15_000 }),
  },
  {
    name: 'alerts-telling',
    who: reyes.username,
    path: '/alerts',
    before: withAlerts,
    act: async (page) => {
      await page.getByRole('button', { name: 'Who is told' }).click()
      await page.getByText('certificate is not trusted').waitFor()
    },
  },
]
