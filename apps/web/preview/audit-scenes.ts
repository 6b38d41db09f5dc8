import { type FakeServer, fakeId } from '@wardline/client/fake-server'
import { auditEvents, auditHistogram, auditHolds, auditReviews, patientPeople } from './audit-events.ts'
import type { Scene } from './scenes.ts'
import { chen, lind, reyes } from './world.ts'

const audit = (server: FakeServer) => {
  server.http('GET /admin/audit/checkpoint', () => ({
    status: 200,
    body: {
      origin: 'wardline/preview/audit',
      vkey: 'wardline/preview/audit+0+0',
      size: 50,
      checkpoint: '',
      witnessed: { size: 40, by: ['witness.example.net'], at: new Date().toISOString() },
    },
  }))
  server.http('GET /admin/audit/events', () => ({ status: 200, body: { items: auditEvents(60), next: 'older' } }))
  server.http('GET /admin/audit/histogram', () => ({ status: 200, body: auditHistogram() }))
  server.http('GET /admin/audit/filters', () => ({
    status: 200,
    body: {
      items: [
        { id: fakeId(0xf1), filter: { outcome: 'refused' }, days: 7, createdAt: new Date().toISOString() },
        {
          id: fakeId(0xf2),
          filter: { actor: lind.id, action: 'message.post' },
          days: null,
          createdAt: new Date().toISOString(),
        },
      ],
    },
  }))
  server.http('GET /admin/audit/reviews', () => ({ status: 200, body: auditReviews() }))
  server.http('GET /admin/audit/policy', () => ({ status: 200, body: { retentionYears: 6, reviewDays: 30 } }))
  server.http('GET /admin/audit/holds', () => ({ status: 200, body: auditHolds() }))
  server.http(`GET /admin/audit/reviews/${fakeId(0xe1)}/marks`, () => ({ status: 200, body: { items: [] } }))
  server.http(`GET /admin/audit/patients/${fakeId(0xc1)}/access`, () => ({
    status: 200,
    body: patientPeople(fakeId(0xc1)),
  }))
  server.http('GET /admin/audit/export', () => ({ status: 200, body: 'x' }))
}

/** The audit's screens. */
export const auditScenes: readonly Scene[] = [
  {
    name: 'audit',
    who: chen.username,
    path: '/audit',
    before: audit,
    act: (page) => page.getByText('no-care-team').first().waitFor(),
  },
  {
    name: 'audit-patient',
    who: chen.username,
    path: `/audit?patient=${fakeId(0xc1)}`,
    before: audit,
    act: async (page) => {
      await page.getByRole('button', { name: 'Who saw this patient' }).first().click()
      await page.getByText('patient.read ×3').waitFor()
    },
  },
  {
    name: 'audit-connection',
    who: chen.username,
    path: '/audit?connection=00f1c2d3-aaaa-4bbb-8ccc-000000000000',
    before: (server) => {
      audit(server)
      const items = auditEvents(12).filter(({ actor }) => actor !== null)
      server.http('GET /admin/audit/events', () => ({ status: 200, body: { items, next: null } }))
    },
    act: (page) => page.getByText('That was all of this connection').waitFor(),
  },
  {
    name: 'audit-export',
    who: chen.username,
    path: '/audit?outcome=refused',
    before: audit,
    act: async (page) => {
      await page.getByRole('button', { name: 'Export' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Export', exact: true }).click()
      await page.getByText('were saved').waitFor()
    },
  },
  {
    name: 'audit-review',
    who: chen.username,
    path: `/audit?review=${fakeId(0xe1)}`,
    before: audit,
    act: (page) => page.getByRole('button', { name: 'To be followed up' }).first().waitFor(),
  },
  {
    name: 'audit-reviews',
    who: chen.username,
    path: '/audit/reviews',
    before: audit,
    act: (page) => page.getByText('has been due').waitFor(),
  },
  {
    name: 'audit-keeping',
    who: reyes.username,
    path: '/audit/keeping',
    before: audit,
    act: (page) => page.getByText('Everything of the organisation').first().waitFor(),
  },
  {
    name: 'audit-forbidden',
    who: chen.username,
    path: '/audit?outcome=refused',
    before: (server) =>
      server.http('GET /admin/audit/events', () => ({
        status: 403,
        body: { type: 'urn:wardline:error:forbidden', title: 'x', status: 403, code: 'forbidden', retry: 'never' },
      })),
    act: (page) => page.getByText('You may not see this').waitFor(),
  },
]
