import { execFile } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { directoryStore } from '../../packages/transparency-log/src/directory-store.ts'
import {
  COSIGNATURE,
  canonicalBytes,
  eventLeaf,
  generateNoteKey,
  heartbeatLeaf,
  openLog,
  parseSignerKey,
  signVoid,
  voidLeaf,
  writePruned,
} from '../../packages/transparency-log/src/index.ts'

/** `wardline audit` as an auditor runs it: with files and a public key, and no installation anywhere near. */

const CLI = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url))
const ORIGIN = 'wardline/test/audit'
const { skey, vkey } = generateNoteKey(ORIGIN)
const WRITER = '0b7f3c3e-6f0e-4b7c-9a63-3a1d2b8f0c11'
const ENTRIES = 600

let root: string
let dir: string

const leaf = (seq: number) => eventLeaf(canonicalBytes({ action: 'patient.read', n: seq }), seq, WRITER)
const leaves = [
  heartbeatLeaf(Date.now() - 3_600_000, 1, 'sequencer'),
  ...Array.from({ length: ENTRIES }, (_, i) => leaf(i + 1)),
]

async function write(to: string, entries: readonly Uint8Array[], key = skey): Promise<void> {
  const log = await openLog(directoryStore(to), { origin: ORIGIN, signers: [parseSignerKey(key)] })
  await log.append(entries)
  await log.publish()
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'wardline-cli-'))
  dir = join(root, 'log')
  await write(dir, leaves)
  writeFileSync(join(root, 'log.vkey'), `${vkey}\n`)
  cpSync(join(dir, 'checkpoint'), join(root, 'kept.checkpoint'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: process.env['PATH'], WARDLINE_DATA: join(root, 'nothing') }
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, 'audit', ...args], { cwd: root, env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

/** The verifier's answer about a copy that something was done to. */
async function verified(change: (copy: string) => void | Promise<void>, ...args: string[]) {
  const copy = join(root, 'copy')
  cpSync(dir, copy, { recursive: true })
  try {
    await change(copy)
    return await run('verify', copy, '--vkey', 'log.vkey', ...args)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

const rewrite = (path: string, change: (bytes: Buffer) => Buffer) => {
  chmodSync(path, 0o644)
  writeFileSync(path, change(readFileSync(path)))
}
const again =
  (entries: readonly Uint8Array[], key = skey) =>
  async (copy: string) => {
    rmSync(copy, { recursive: true })
    await write(copy, entries, key)
  }

/** A program takes its time to start on a busy machine, and each of these tests starts several. */
const timeout = 600_000

describe('wardline audit verify', { timeout }, () => {
  it('nothing wrong: exit code 0, what was seen, and the root', async () => {
    const { code, out } = await verified(() => undefined, '--extends', 'kept.checkpoint')
    expect(out).toMatch(/^ok: 601 entries of 2 writers, last sign of life .*; root [A-Za-z0-9+/=]{44}\n$/)
    expect(code).toBe(0)
  })

  it.each<[string, number, (copy: string) => void | Promise<void>, string[]]>([
    [
      'changed',
      10,
      (copy) =>
        rewrite(join(copy, 'tile/entries/000'), (bytes) =>
          Buffer.from(bytes.toString('latin1').replace('"n":9}', '"n":8}'), 'latin1'),
        ),
      [],
    ],
    ['missing', 11, (copy) => rmSync(join(copy, 'tile/entries/001')), []],
    ['reordered', 12, again([...leaves.slice(0, 3), leaf(4), leaf(3), ...leaves.slice(5)]), []],
    ['truncated', 13, again(leaves.slice(0, 300)), ['--since', 'kept.checkpoint']],
    [
      'forked',
      14,
      again(leaves.with(5, eventLeaf(canonicalBytes({ action: 'patient.view' }), 5, WRITER))),
      ['--since', 'kept.checkpoint'],
    ],
    ['bad-signature', 15, again(leaves, generateNoteKey(ORIGIN).skey), []],
    ['writer-gap', 16, again(leaves.toSpliced(7, 2)), []],
    ['stale', 17, () => undefined, ['--max-age', '60']],
  ])('%s: exit code %i and a sentence', async (kind, code, change, args) => {
    const answer = await verified(change, ...args)
    expect(answer.out).toMatch(new RegExp(`^${kind}: .+\\.$`, 'm'))
    expect(answer.out).toContain('NOT as it was signed')
    expect(answer.code).toBe(code)
  })

  it('what one verification leaves, the next goes on from, and reads no more than what came since', async () => {
    const log = join(root, 'growing')
    const trust = ['--vkey', 'log.vkey']
    cpSync(dir, log, { recursive: true })
    expect(await run('verify', log, ...trust, '--keep', 'first.verified')).toMatchObject({ code: 0 })
    const more = await openLog(directoryStore(log), { origin: ORIGIN, signers: [parseSignerKey(skey)] })
    await more.append([leaf(ENTRIES + 1), leaf(ENTRIES + 2)])
    await more.publish()
    const next = await run('verify', log, ...trust, '--since', 'first.verified', '--keep', 'second.verified')
    expect(next.out).toMatch(/^ok: 2 entries since entry 601 of 2 writers, last sign of life 2/)
    await more.append([leaf(ENTRIES + 4)])
    await more.publish()
    const gap = await run('verify', log, ...trust, '--since', 'second.verified', '--keep', 'third.verified')
    expect(gap).toMatchObject({ code: 16, out: expect.stringContaining('603 to 603 never came') })
    expect(existsSync(join(root, 'third.verified'))).toBe(false)
    // The bare checkpoint says nothing of the writers' numbers.
    expect(await run('verify', log, ...trust, '--since', 'kept.checkpoint')).toMatchObject({ code: 16 })
  })

  it('a void is told, and with --strict counted', async () => {
    const statement = { at: Date.now(), first: 7, last: 8, reason: 'lost', writer: WRITER } as const
    const stated = voidLeaf(signVoid(statement, ORIGIN, parseSignerKey(skey)), 2, 'sequencer')
    const change = again([...leaves.toSpliced(7, 2), stated])
    expect(await verified(change)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^void: entry 599 says .* 7 to 8/),
    })
    expect(await verified(change, '--strict')).toMatchObject({ code: 16 })
  })

  it('what was purged on purpose is said, with what was checked of it all the same; what merely went is missing', async () => {
    const pruned = { index: 256, before: Date.UTC(2020, 11, 1) }
    const gone = (copy: string) => rmSync(join(copy, 'tile/entries/000'))
    expect(await verified(gone)).toMatchObject({ code: 11 })
    const purged = await verified(async (copy) => {
      gone(copy)
      await writePruned(directoryStore(copy), ORIGIN, pruned, parseSignerKey(skey))
    })
    expect(purged).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^purged: entries below 256 .* before 2020-12/),
    })
    expect(purged.out).toContain('ok: 345 entries')
  })

  it('what cannot be checked is not called wrong', async () => {
    expect(await run('verify', dir)).toMatchObject({ code: 1, err: expect.stringContaining('--vkey') })
    expect(await run('verify', join(root, 'nowhere'), '--vkey', vkey)).toMatchObject({ code: 1 })
    expect(await run('verify', dir, '--vkey', 'no+key')).toMatchObject({ code: 1 })
    expect(await run('verify', '--unknown')).toMatchObject({ code: 2 })
    expect(await run('vkey')).toMatchObject({ code: 1, err: expect.stringContaining('no key of an audit log') })
  })
})

describe('wardline audit prove and check', { timeout }, () => {
  it('one entry, by its place or its writer’s number, proves itself without the rest', async () => {
    for (const what of ['8', `${WRITER}/8`]) {
      expect(await run('prove', what, '--dir', dir, '--vkey', 'log.vkey', '--out', 'eighth'), what).toMatchObject({
        code: 0,
      })
      const check = await run('check', 'eighth.tlog-proof', 'eighth.json', '--vkey', 'log.vkey')
      expect(check.out).toBe(`ok: eighth.json is entry 8 of a log of 601 entries, signed by ${ORIGIN}\n`)
      expect(JSON.parse(readFileSync(join(root, 'eighth.json'), 'utf8'))).toEqual({
        event: { action: 'patient.read', n: 8 },
        seq: 8,
        writer: WRITER,
      })
    }
    const { vkey: witness } = generateNoteKey('witness.example', COSIGNATURE)
    const seen = await run('check', 'eighth.tlog-proof', 'eighth.json', '--vkey', 'log.vkey', '--witness', witness)
    expect(seen).toMatchObject({ code: 1, err: expect.stringContaining('not-enough-witnesses') })
    rewrite(join(root, 'eighth.json'), (bytes) => Buffer.from(bytes.toString().replace('read', 'view')))
    const forged = await run('check', 'eighth.tlog-proof', 'eighth.json', '--vkey', 'log.vkey')
    expect(forged).toMatchObject({ code: 1, err: expect.stringContaining('not-included') })
    expect(await run('prove', '9999', '--dir', dir, '--vkey', 'log.vkey')).toMatchObject({ code: 1 })
    expect(await run('prove', `${WRITER}/9999`, '--dir', dir, '--vkey', 'log.vkey')).toMatchObject({ code: 1 })
  })
})
