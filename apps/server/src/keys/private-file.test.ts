import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { StartError } from '../errors.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'wardline-private-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('private files', () => {
  test('are written for their owner alone, in a folder for their owner alone, and read back', async () => {
    const path = join(folder, 'a', 'key')
    expect(await readPrivateFile(path)).toBeNull()
    expect(await writePrivateFile(path, 'secret', 'once')).toBe(true)
    expect(await readPrivateFile(path)).toBe('secret')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700)
  })

  test.each([0o640, 0o604, 0o660, 0o601])('are refused with mode %o', async (mode) => {
    const path = join(folder, 'loose')
    await writePrivateFile(path, 'secret', 'replace')
    chmodSync(path, mode)
    await expect(readPrivateFile(path)).rejects.toThrow(StartError)
  })

  test('of twenty first writers one wins, nothing is left beside it', async () => {
    const path = join(folder, 'b', 'key')
    const texts = Array.from({ length: 20 }, (_, index) => `key ${index}`)
    const won = await Promise.all(texts.map((text) => writePrivateFile(path, text, 'once')))
    expect(won.filter(Boolean)).toHaveLength(1)
    expect(await readPrivateFile(path)).toBe(texts[won.indexOf(true)])
    expect(readdirSync(join(folder, 'b'))).toEqual(['key'])
  })
})
