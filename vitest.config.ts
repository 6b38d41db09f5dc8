import { defineConfig } from 'vitest/config'
import { findChromium } from './scripts/steps/browser.mjs'

/** How long `expect.poll` looks for what must come: as patient as the tests themselves. */
const patient = { poll: { timeout: 60_000 } }

/**
 * Three projects, slowest last, so that a broken rule is known before a browser is started.
 *
 * - unit: beside its subject, in packages/ and apps/; nothing but the process it runs in.
 * - service: tests/, on a real Postgres and real sockets; a database per file (tests/_util/database.ts).
 * - browser: tests/browser/, a real Chromium (named by PLAYWRIGHT_CHROMIUM) against a real server; one file at a time.
 *
 * Time limits are wide because the machines that run this are shared; no test waits for time to pass.
 */
export default defineConfig({
  test: {
    passWithNoTests: false,
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          expect: patient,
          include: ['packages/**/*.test.{ts,tsx}', 'apps/**/*.test.{ts,tsx}', 'scripts/**/*.test.mjs'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'service',
          expect: patient,
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/browser/**', '**/node_modules/**'],
          globalSetup: ['tests/_util/global-setup.ts'],
          testTimeout: 180_000,
          hookTimeout: 240_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'browser',
          expect: patient,
          include: ['tests/browser/**/*.test.ts'],
          globalSetup: ['tests/_util/global-setup.ts'],
          fileParallelism: false,
          env: { PLAYWRIGHT_CHROMIUM: findChromium() ?? '' },
          testTimeout: 240_000,
          hookTimeout: 240_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
