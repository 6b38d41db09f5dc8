import { readFileSync } from 'node:fs'
import { alertKind } from '@wardline/protocol'
import { expect, it } from 'vitest'
import { INCIDENTS } from '../../apps/server/src/alerts/drill/incidents.ts'
import { RULES, SEVERITIES } from '../../apps/server/src/alerts/rules.ts'

const docs = readFileSync(new URL('../../docs/alerts.md', import.meta.url), 'utf8')

it('every kind of alert has a runbook, in the order in which they are listed', () => {
  expect([...docs.matchAll(/^## ([a-z-]+)$/gm)].map(([, kind]) => kind)).toEqual(alertKind.options)
})

it('every kind comes from a rule or from the log itself, weighs something, and is drilled where that harms nothing', () => {
  const ofTheLog = ['audit-gap', 'audit-stalled']
  expect(new Set([...RULES.map(({ kind }) => kind), ...ofTheLog])).toEqual(new Set(alertKind.options))
  expect(Object.keys(SEVERITIES).toSorted()).toEqual(alertKind.options.toSorted())
  expect(new Set([...INCIDENTS.map(({ kind }) => kind), ...ofTheLog])).toEqual(new Set(alertKind.options))
})
