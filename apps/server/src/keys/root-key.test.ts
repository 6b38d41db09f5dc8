import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SealError } from './envelope.ts'
import { openRootKeyFile, providerOf, RootKeyError } from './root-key.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardline-keys-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const path = () => join(folder, 'keys', 'root.key')
const place = { tenant: 't', scope: 'tenant-keys', row: 'r', purpose: 'wrap' }

describe('root key file', () => {
  it('R-60 is made once: 32 bytes, for its owner alone, in a folder for its owner alone', async () => {
    const first = await openRootKeyFile(join(folder, 'keys'))
    expect(statSync(path()).size).toBe(32)
    expect(statSync(path()).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'keys')).mode & 0o777).toBe(0o700)
    expect((await openRootKeyFile(join(folder, 'keys'))).fingerprint).toBe(first.fingerprint)
    expect(readdirSync(join(folder, 'keys'))).toEqual(['root.key'])
  })

  it('is one key for all who start at once', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => openRootKeyFile(join(folder, 'keys'))))
    expect(new Set(all.map((provider) => provider.fingerprint)).size).toBe(1)
  })

  it.each([0o640, 0o604, 0o660, 0o644, 0o777])('is refused when it is open to others (%o)', async (mode) => {
    await openRootKeyFile(join(folder, 'keys'))
    chmodSync(path(), mode)
    await expect(openRootKeyFile(join(folder, 'keys'))).rejects.toThrow(/chmod 600/)
  })

  it.each([0, 31, 33, 64])('is refused when it holds %i bytes', async (size) => {
    await openRootKeyFile(join(folder, 'keys'))
    writeFileSync(path(), Buffer.alloc(size))
    await expect(openRootKeyFile(join(folder, 'keys'))).rejects.toThrow(RootKeyError)
  })

  it('says in one line when it cannot be read or made', async () => {
    writeFileSync(join(folder, 'file'), '')
    await expect(openRootKeyFile(join(folder, 'file', 'keys'))).rejects.toThrow(RootKeyError)
    symlinkSync(join(folder, 'nowhere', 'root.key'), join(folder, 'root.key'))
    await expect(openRootKeyFile(folder)).rejects.toThrow(RootKeyError)
  })
})

describe('root key', () => {
  it('wraps for one place, and opens nothing else', async () => {
    const provider = await providerOf(Buffer.alloc(32, 1))
    const other = await providerOf(Buffer.alloc(32, 2))
    const wrapped = await provider.wrap(place, Buffer.from('secret'))
    expect((await provider.unwrap(place, wrapped)).toString()).toBe('secret')
    await expect(provider.unwrap({ ...place, row: 'other' }, wrapped)).rejects.toThrow(SealError)
    await expect(other.unwrap(place, wrapped)).rejects.toThrow(SealError)
  })

  it('derives the same for a label, and nothing that tells of another or of the key', async () => {
    const provider = await providerOf(Buffer.alloc(32, 1))
    const again = await providerOf(Buffer.alloc(32, 1))
    expect(await provider.derive('a', 32)).toEqual(await again.derive('a', 32))
    expect(await provider.derive('a', 32)).not.toEqual(await provider.derive('b', 32))
    expect(await provider.derive('a', 8)).toHaveLength(8)
    expect(provider.fingerprint).toMatch(/^[0-9a-f]{64}$/)
    expect(provider.fingerprint).not.toBe((await providerOf(Buffer.alloc(32, 2))).fingerprint)
    expect(provider.fingerprint).not.toContain(Buffer.alloc(32, 1).toString('hex').slice(0, 16))
  })

  it('is not in what a file provider shows of itself', async () => {
    const provider = await openRootKeyFile(join(folder, 'keys'))
    const key = readFileSync(path()).toString('hex')
    expect(JSON.stringify(provider)).not.toContain(key.slice(0, 16))
  })
})
