import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { alone } from './lock.mjs'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardline lock '))
})

afterEach(() => rmSync(folder, { recursive: true }))

test('one run waits for the other', async () => {
  /** @type {string[]} */
  const order = []
  /** @type {() => void} */
  let finish = () => undefined
  const first = alone(async () => {
    order.push('first begins')
    await new Promise((resolve) => {
      finish = () => resolve(undefined)
    })
    order.push('first ends')
  }, folder)
  const second = alone(async () => {
    order.push('second begins')
  }, folder)
  finish()
  await Promise.all([first, second])
  expect(order).toEqual(['first begins', 'first ends', 'second begins'])
  expect(readdirSync(folder)).toEqual([])
})

test('a failure lets the next run in', async () => {
  await expect(alone(() => Promise.reject(new Error('no disk')), folder)).rejects.toThrow('no disk')
  expect(await alone(async () => 'in', folder)).toBe('in')
})

test('the lock of a process that died is taken over', async () => {
  const { pid } = spawnSync(process.execPath, ['--version'])
  writeFileSync(join(folder, 'lock'), String(pid))
  expect(await alone(async () => existsSync(join(folder, 'lock')), folder)).toBe(true)
  expect(readdirSync(folder)).toEqual([])
})
