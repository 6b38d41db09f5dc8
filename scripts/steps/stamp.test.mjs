import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { root } from './places.mjs'
import { digestOf, readStamp, removeStamp, writeStamp } from './stamp.mjs'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardline stamp '))
  mkdirSync(join(folder, 'src'))
  writeFileSync(join(folder, 'src', 'a.ts'), 'one')
})

afterEach(() => rmSync(folder, { recursive: true }))

/** @param {string[]} [facts] */
const digest = (facts) => digestOf([relative(root, folder)], facts)

test.each([
  ['a changed file', () => writeFileSync(join(folder, 'src', 'a.ts'), 'two')],
  ['a new file', () => writeFileSync(join(folder, 'src', 'b.ts'), '')],
  ['a renamed file', () => renameSync(join(folder, 'src', 'a.ts'), join(folder, 'src', 'b.ts'))],
  ['a file that is gone', () => rmSync(join(folder, 'src', 'a.ts'))],
])('%s is another digest', (_, change) => {
  const before = digest()
  change()
  expect(digest()).not.toBe(before)
})

test('what is made is not looked at, nor when a file was written', () => {
  const before = digest()
  mkdirSync(join(folder, 'dist'))
  writeFileSync(join(folder, 'dist', 'a.js'), 'one')
  writeFileSync(join(folder, 'src', 'a.ts'), 'one')
  expect(digest()).toBe(before)
})

test('another version of a tool is another digest', () => {
  expect(digest(['pnpm@1'])).not.toBe(digest(['pnpm@2']))
})

test('a stamp is read as it was written, until it is removed', () => {
  const stamp = join(folder, 'memory', 'step')
  expect(readStamp(stamp)).toBeUndefined()
  writeStamp(stamp, 'abc')
  expect(readStamp(stamp)).toBe('abc')
  removeStamp(stamp)
  expect(readStamp(stamp)).toBeUndefined()
})
