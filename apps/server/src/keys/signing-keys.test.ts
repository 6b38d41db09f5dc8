import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { addSigningKey, fileSigningProvider } from './file-signing-provider.ts'
import { JWKS_SECONDS, openSigningKeys, PUBLISH_MS, type SigningKeys } from './signing-keys.ts'

const TOKEN_LIFE_MS = 310_000
const root = mkdtempSync(join(tmpdir(), 'wardline-signing-'))
let count = 0
let folder: string
let now: number

beforeEach(() => {
  folder = join(root, String(count++))
  now = 1_780_000_000_000
})
afterAll(() => rmSync(root, { recursive: true }))

const faults: unknown[] = []
const open = () =>
  openSigningKeys(
    fileSigningProvider(folder),
    () => now,
    TOKEN_LIFE_MS,
    (error) => void faults.push(error),
  )
const kidOf = (jws: string) => decodeProtectedHeader(jws).kid ?? ''
const published = async (keys: SigningKeys) => (await keys.jwks()).keys.map((key) => key.kid)

describe('signing keys', () => {
  test('the first is made at the first start, for its owner alone, and stays', async () => {
    const keys = await open()
    const [name] = readdirSync(folder)
    expect(statSync(join(folder, name ?? '')).mode & 0o777).toBe(0o600)
    const jws = await keys.sign('at+jwt', { sub: 'a' })
    expect(decodeProtectedHeader(jws)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: name?.replace('.json', '') })
    expect(await published(await open())).toEqual([kidOf(jws)])
  })

  test('the published set verifies what was signed and holds nothing private', async () => {
    const keys = await open()
    const jws = await keys.sign('at+jwt', { sub: 'a' })
    const { payload } = await jwtVerify(jws, createLocalJWKSet((await keys.jwks()) as JSONWebKeySet))
    expect(payload.sub).toBe('a')
    for (const key of (await keys.jwks()).keys)
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  })

  test('R-13: a successor takes over at its time; the old key verifies until its last token has expired', async () => {
    const keys = await open()
    const old = kidOf(await keys.sign('at+jwt', {}))
    const next = await addSigningKey(folder, now + 100_000)
    now += 61_000
    expect(kidOf(await keys.sign('at+jwt', {})), 'published before it signs').toBe(old)
    expect(await published(keys)).toEqual([old, next])
    now += 39_000
    expect(kidOf(await keys.sign('at+jwt', {}))).toBe(next)
    now += 10_000 + TOKEN_LIFE_MS - 1
    expect((await keys.verificationKey(old))?.algorithm).toBe('ES256')
    now += 1
    expect(await keys.verificationKey(old)).toBeUndefined()
    expect(await published(keys)).toEqual([next])
  })

  test('a key that another process added is found by its kid, without a restart', async () => {
    const keys = await open()
    now += 5_000
    const foreign = await addSigningKey(folder, now)
    expect(await keys.verificationKey(foreign)).toBeDefined()
  })

  test('R-13: rotated by command: published for longer than anybody keeps the set, then it signs; one that waits is enough', async () => {
    const keys = await open()
    const old = kidOf(await keys.sign('at+jwt', {}))
    const next = (await keys.rotate()) ?? ''
    expect(await keys.rotate()).toBeNull()
    expect((await keys.list()).map(({ kid, state }) => [kid, state])).toEqual([
      [next, 'next'],
      [old, 'signing'],
    ])
    expect(await published(await open()), 'on every node').toEqual([old, next])
    now += JWKS_SECONDS * 1_000
    expect(kidOf(await keys.sign('at+jwt', {}))).toBe(old)
    now += PUBLISH_MS - JWKS_SECONDS * 1_000
    const jws = await keys.sign('at+jwt', {})
    expect(kidOf(jws)).toBe(next)
    expect((await keys.list()).map(({ state }) => state)).toEqual(['signing', 'verifying'])
    await jwtVerify(jws, createLocalJWKSet((await keys.jwks()) as JSONWebKeySet))
    expect(await keys.removeRetired(), 'its last tokens still live').toEqual([])
    now += 10_000 + TOKEN_LIFE_MS
    expect(await keys.removeRetired()).toEqual([old])
    expect(readdirSync(folder)).toEqual([`${next}.json`])
  })

  test('a key that leaked is replaced at once, and what it signed is refused by every node within a second', async () => {
    const [keys, other] = [await open(), await open()]
    const old = kidOf(await keys.sign('at+jwt', {}))
    const next = await keys.rotate({ atOnce: true })
    await keys.destroy([old])
    now += 1_000
    expect(await keys.verificationKey(old)).toBeUndefined()
    expect(await other.verificationKey(old)).toBeUndefined()
    expect(kidOf(await other.sign('at+jwt', {}))).toBe(next)
  })

  test('a folder that is empty of a sudden is one that is away: what was good stays good', async () => {
    const keys = await open()
    const jws = await keys.sign('at+jwt', {})
    rmSync(folder, { recursive: true })
    now += 60_000
    expect(await keys.verificationKey(kidOf(jws))).toBeDefined()
    expect(String(faults.pop())).toContain('no signing key any more')
  })

  test('a folder that others may write stops the start: who puts a key there signs in as anybody', async () => {
    await open()
    chmodSync(folder, 0o770)
    await expect(open()).rejects.toThrow(/others may write there: chmod 700/)
  })

  test('two first starts at once understand each other', async () => {
    const [one, other] = await Promise.all([open(), open()])
    now += 5_000
    for (const [signer, verifier] of [
      [one, other],
      [other, one],
    ] as const) {
      expect(await verifier.verificationKey(kidOf(await signer.sign('at+jwt', {})))).toBeDefined()
    }
  })

  test('an unknown kid is no key, whatever it spells', async () => {
    const keys = await open()
    for (const kid of ['', '../root-key', 'x'.repeat(5_000), '__proto__']) {
      now += 5_000
      expect(await keys.verificationKey(kid)).toBeUndefined()
    }
  })

  test('a stray file that turns up later is reported, and what was good stays good', async () => {
    const keys = await open()
    writeFileSync(join(folder, 'stray.json'), '{}', { mode: 0o600 })
    now += 60_000
    const jws = await keys.sign('at+jwt', {})
    expect(await keys.verificationKey(kidOf(jws))).toBeDefined()
    expect(String(faults.pop())).toContain('stray.json is not a signing key')
  })

  test('a file that others may read, or that is not what it says, stops the start', async () => {
    await open()
    const path = join(folder, readdirSync(folder)[0] ?? '')
    chmodSync(path, 0o644)
    await expect(open()).rejects.toThrow(/others may read it: chmod 600/)
    chmodSync(path, 0o600)
    writeFileSync(join(folder, 'stray.json'), '{}', { mode: 0o600 })
    await expect(open()).rejects.toThrow(/stray\.json is not a signing key/)
  })
})
