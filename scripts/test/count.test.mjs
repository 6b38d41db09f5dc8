import { describe, expect, test } from 'vitest'
import { countTests, lastLine, wantsBrowser } from './count.mjs'

/** @param {string[]} statuses */
const tests = (...statuses) => statuses.map((status) => ({ status }))

describe('the last line of npm test', () => {
  test('counts tests over all files', () => {
    const count = countTests([
      { status: 'passed', assertionResults: tests('passed', 'passed') },
      { status: 'failed', assertionResults: tests('passed', 'failed') },
    ])
    expect(lastLine(count)).toBe('3 passed, 1 failed')
  })

  test('counts a file that could not be loaded as one failed', () => {
    expect(lastLine(countTests([{ status: 'failed', assertionResults: [] }]))).toBe('0 passed, 1 failed')
  })

  test('counts a file whose hook failed as one failed, its tests as skipped', () => {
    const count = countTests([{ status: 'failed', assertionResults: tests('skipped', 'pending') }])
    expect(lastLine(count)).toBe('0 passed, 1 failed, 2 skipped')
  })
})

describe('a browser is required', () => {
  const browserTests = ['tests/browser/two-people.test.ts']

  test.each([
    [[], true],
    [['tests/browser'], true],
    [['two-people'], true],
    [['--project=browser'], true],
    [['-t', 'renew'], false],
    [['packages/policy'], false],
    [['--project=unit'], false],
    [['--project', 'service'], false],
  ])('with %j: %s', (args, wanted) => {
    expect(wantsBrowser(args, browserTests)).toBe(wanted)
  })
})
