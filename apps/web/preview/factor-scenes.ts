import type { Page } from '@playwright/test'
import { type FakeServer, problemOf } from '@wardline/client/fake-server'
import type { Factors } from '@wardline/protocol'
import type { Scene } from './scenes.ts'
import { chen, lind } from './world.ts'

const PASSKEY = {
  challenge: 'c'.repeat(72),
  rpId: 'localhost',
  timeoutMs: 300_000,
  credentials: [{ id: 'AAAA', transports: ['internal' as const] }],
}

const CODES = Array.from({ length: 10 }, (_, at) => `${at}k3m-7pq${at}-x2vn-h${at}td`)

const held: Factors = {
  items: [
    {
      id: '00000000-0000-4000-8000-0000000000f1',
      kind: 'passkey',
      synced: true,
      createdAt: '2026-09-02T08:12:00.000Z',
      lastUsedAt: '2026-11-21T18:58:00.000Z',
    },
    {
      id: '00000000-0000-4000-8000-0000000000f2',
      kind: 'passkey',
      synced: false,
      createdAt: '2026-10-11T07:30:00.000Z',
      lastUsedAt: null,
    },
    {
      id: '00000000-0000-4000-8000-0000000000f3',
      kind: 'totp',
      createdAt: '2026-03-14T09:26:00.000Z',
      lastUsedAt: '2026-08-30T06:01:00.000Z',
    },
  ],
  recoveryCodes: 7,
}

const has = (factors: Factors) => (server: FakeServer) =>
  server.http('GET /me/factors', () => ({ status: 200, body: factors }))

async function openFactors(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'You and this device' }).click()
  await page.getByRole('button', { name: 'Second factors…' }).click()
}

async function typePassword(page: Page, username: string): Promise<void> {
  await page.getByLabel('Organisation').fill('riverside')
  await page.getByLabel('User name').fill(username)
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery staple')
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Second factors, from the sign-in to their list. */
export const factorScenes: readonly Scene[] = [
  {
    name: 'second-step',
    who: null,
    path: '/',
    before: (server) => {
      const methods = ['passkey', 'totp', 'recovery-code']
      const body = { status: 'second-factor', challenge: 'c', methods, expiresIn: 300, passkey: PASSKEY }
      server.http('POST /auth/login', () => ({ status: 200, body }))
    },
    act: async (page) => {
      await typePassword(page, lind.username)
      await page.getByRole('button', { name: 'Use your passkey' }).waitFor()
    },
  },
  {
    name: 'factors-none',
    who: lind.username,
    path: '/',
    before: has({ items: [], recoveryCodes: 0 }),
    act: async (page) => {
      await openFactors(page)
      await page.getByRole('button', { name: 'Add a passkey' }).waitFor()
    },
  },
  {
    name: 'factors',
    who: lind.username,
    path: '/',
    before: has(held),
    act: async (page) => {
      await openFactors(page)
      await page.getByRole('button', { name: 'Remove: Authenticator app' }).click()
    },
  },
  {
    name: 'factors-failed',
    who: lind.username,
    path: '/',
    before: (server) => server.http('GET /me/factors', () => problemOf('forbidden')),
    act: async (page) => {
      await openFactors(page)
      await page.getByRole('dialog').getByRole('alert').waitFor()
    },
  },
  {
    name: 'recovery-codes',
    who: lind.username,
    path: '/',
    before: (server) => {
      has(held)(server)
      server.http('POST /me/factors/recovery-codes', () => ({ status: 200, body: { recoveryCodes: CODES } }))
    },
    act: async (page) => {
      await openFactors(page)
      await page.getByRole('button', { name: 'New recovery codes' }).click()
      await page.getByRole('button', { name: 'I have kept them' }).waitFor()
    },
  },
  {
    name: 'step-up',
    who: lind.username,
    path: '/',
    before: (server) => {
      has(held)(server)
      server.http('POST /me/factors/recovery-codes', () => problemOf('step-up-required'))
    },
    act: async (page) => {
      await openFactors(page)
      await page.getByRole('button', { name: 'New recovery codes' }).click()
      await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor()
    },
  },
  {
    name: 'enrol-first',
    who: null,
    path: '/',
    before: (server) => {
      has({ items: [], recoveryCodes: 0 })(server)
      const user = { ...chen, abilities: [], mustEnrol: true }
      const body = { status: 'authenticated', accessToken: 'a.b.c', expiresIn: 300, csrfToken: 'csrf', user }
      server.http('POST /auth/login', () => ({ status: 200, body }))
    },
    act: async (page) => {
      await typePassword(page, chen.username)
      await page.getByRole('button', { name: 'Add a passkey' }).waitFor()
    },
  },
]
