import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Witness as Asked, WitnessState } from '../../apps/server/src/audit/sequencer/witnesses.ts'
import { manualClock } from '../../apps/server/src/clock.ts'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { directoryStore } from '../../packages/transparency-log/src/directory-store.ts'
import {
  COSIGNATURE,
  checkProof,
  generateNoteKey,
  parseVerifierKey,
  proveEntry,
  readWitnessed,
  verifyLog,
} from '../../packages/transparency-log/src/index.ts'
import { createTestDatabase, type TestDatabase } from '../_util/database.ts'
import { createTestLog, type TestLog } from '../_util/sequencer.ts'
import { verifyFolder } from './second-verifier.ts'

/** R-72, issue 5 §3: a witness elsewhere cosigns what extends what it has seen, and what it has not cosigned an auditor is told. */

const CLI = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url))
const clock = manualClock(Date.now())
let root: string
let store: TestDatabase
let database: Database
let log: TestLog
let children: ChildProcess[]
let servers: Server[]

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'wardline-witness-'))
  store = await createTestDatabase()
  database = await store.open()
  log = await createTestLog(store, clock)
  children = []
  servers = []
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  for (const server of servers) server.closeAllConnections()
  for (const server of servers) server.close()
  await log.remove()
  await store.drop()
  rmSync(root, { recursive: true, force: true })
})

/** `wardline witness`, in a process and a folder of its own. */
async function startWitness(name: string, logKey = log.signer.verifier.vkey): Promise<Asked & { child: ChildProcess }> {
  const args = ['--name', name, '--log', logKey, '--state', join(root, name), '--listen', '127.0.0.1:0']
  const child = spawn(process.execPath, [CLI, 'witness', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const said = await new Promise<string>((resolve) =>
    child.stdout.once('data', (chunk: Buffer) => resolve(String(chunk))),
  )
  const [url = '', vkey = ''] = said.trim().replace('WARDLINE_WITNESSES=', '').split(' ')
  return { url, key: parseVerifierKey(vkey), child }
}

const notes = (count: number) =>
  Promise.all(
    Array.from({ length: count }, () => database.auditOnly(null, { action: 'socket.connect', outcome: 'refused' })),
  )
const verify = (keys: readonly Asked[], threshold: number, dir = log.dir) =>
  verifyLog(directoryStore(dir), {
    origin: log.origin,
    logKeys: [log.signer.verifier],
    witnesses: { keys: keys.map(({ key }) => key), threshold },
    now: clock.now(),
  })

/** Writes and asks until a round is over. */
async function round(sequencer: ReturnType<TestLog['sequencer']>, count = 10): Promise<void> {
  await notes(count)
  clock.advance(1_000)
  await log.settle(sequencer)
  await sequencer.witnessed()
}

describe('witnesses', () => {
  it('cosign each checkpoint; an auditor may ask for as many of them as there are', async () => {
    const [one, two] = [await startWitness('w1.example'), await startWitness('w2.example')]
    const sequencer = log.sequencer({ witnesses: [one, two] })
    await round(sequencer)
    await round(sequencer, 400)
    // Every entry, tile and signature of it, by a verifier that shares no line with ours.
    expect(verifyFolder(log.dir, [log.signer.verifier.vkey, one.key.vkey, two.key.vkey])).toMatchObject({
      size: 411,
      signedBy: [log.origin],
      cosignedBy: [{ name: 'w1.example' }, { name: 'w2.example' }],
    })
    expect(await verify([one, two], 2)).toMatchObject({
      ok: true,
      witnessed: { size: 411, by: ['w1.example', 'w2.example'] },
    })
    const trust = { origin: log.origin, logKeys: [log.signer.verifier] }
    const seen = { ...trust, witnesses: { keys: [one.key, two.key], threshold: 2 } }
    expect(await readWitnessed(directoryStore(log.dir), seen)).toMatchObject({
      size: 411,
      by: ['w1.example', 'w2.example'],
    })
    const stranger = { url: '', key: parseVerifierKey(generateNoteKey('w3.example', COSIGNATURE).vkey) }
    expect(await verify([one, stranger], 1)).toMatchObject({ ok: true })
    expect((await verify([one, stranger], 2)).findings).toMatchObject([
      { kind: 'bad-signature', reason: '1 of the 2 witnesses it needs have cosigned it' },
    ])
  })

  it('that is away holds nothing up; what it has not seen is told, and it goes on where it was', async () => {
    const states: WitnessState[] = []
    const one = await startWitness('w1.example')
    const sequencer = log.sequencer({ witnesses: [one], onWitness: (_, state) => states.push(state) })
    await round(sequencer)
    const gone = once(one.child, 'exit')
    one.child.kill('SIGKILL')
    await gone
    await round(sequencer)
    await round(sequencer)
    expect(sequencer.state).toMatchObject({ is: 'leading', size: 31 })
    expect(await verify([one], 1)).toMatchObject({ ok: true, entries: 31, witnessed: { size: 11 } })
    // A proof is made under what was cosigned, where that covers the entry.
    const trust = { origin: log.origin, logKeys: [log.signer.verifier], witnesses: { keys: [one.key], threshold: 1 } }
    const checked = async (index: number) => {
      const { entry, file } = await proveEntry(directoryStore(log.dir), trust, index)
      return checkProof(file, entry, trust)
    }
    expect(await checked(10)).toMatchObject({ ok: true, checkpoint: { size: 11 } })
    expect(await checked(11)).toEqual({ ok: false, fault: 'not-enough-witnesses' })
    const again = await startWitness('w1.example')
    expect(again.key.vkey).toBe(one.key.vkey)
    await sequencer.close()
    const next = log.sequencer({ witnesses: [again], onWitness: (_, state) => states.push(state) })
    await round(next)
    expect(await verify([again], 1)).toMatchObject({ ok: true, witnessed: { size: 42 } })
    // By the line that was kept it may fail otherwise than by a new one, and each of both is told.
    expect(states.filter((state, at) => state.is !== states[at - 1]?.is)).toMatchObject([
      { is: 'cosigning', size: 11 },
      { is: 'failing', reason: expect.stringMatching(/^(ECONN|UND_ERR_)/) },
      { is: 'cosigning', size: 42 },
    ])
  })

  it('does not cosign another history, though the stolen key of the log signs it; nor one that is shorter', async () => {
    const one = await startWitness('w1.example')
    const first = log.sequencer({ witnesses: [one] })
    await round(first, 30)
    await first.close()
    // The same key, another database: another log.
    const other = await createTestDatabase()
    try {
      const forged = await createTestLog(other, clock)
      writeFileSync(join(forged.keysDir, 'audit-log.key'), readFileSync(join(log.keysDir, 'audit-log.key')))
      const keys = {
        current: () => Promise.resolve(log.signer),
        next: () => Promise.resolve(null),
        adopt: () => Promise.resolve(),
      }
      const states: WitnessState[] = []
      const liar = forged.sequencer({ keys, witnesses: [one], onWitness: (_, state) => states.push(state) })
      const theirs = await other.open()
      const theirNotes = (count: number) =>
        Promise.all(
          Array.from({ length: count }, () => theirs.auditOnly(null, { action: 'socket.connect', outcome: 'allowed' })),
        )
      await theirNotes(5)
      await forged.settle(liar)
      await liar.witnessed()
      await theirNotes(60)
      clock.advance(1_000)
      await forged.settle(liar)
      await liar.witnessed()
      expect(states).toMatchObject([
        { is: 'ahead', size: 31 },
        { is: 'refusing', reason: 'it answered 422' },
      ])
      expect((await verify([one], 1, forged.dir)).findings).toMatchObject([{ kind: 'bad-signature' }])
      await forged.remove()
    } finally {
      await other.drop()
    }
  })

  it('that answers nonsense, without end, or with another key is not believed', async () => {
    const answers = ['nonsense', '\u2014 w1.example AAAA\n', 'x'.repeat(100_000)]
    const served = await Promise.all(
      answers.map(async (body) => {
        const server = createServer((_, response) => response.end(body))
        servers.push(server)
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
        const key = parseVerifierKey(generateNoteKey('w1.example', COSIGNATURE).vkey)
        return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key }
      }),
    )
    const states: string[] = []
    const sequencer = log.sequencer({ witnesses: served, onWitness: (_, state) => states.push(state.is) })
    await round(sequencer)
    expect(states.toSorted()).toEqual(['failing', 'refusing', 'refusing'])
    expect(sequencer.state.is).toBe('leading')
    expect(readFileSync(join(log.dir, 'checkpoint'), 'utf8').trim().split('\n')).toHaveLength(5)
  })

  it('answers what C2SP tlog-witness says, and nothing else', async () => {
    const { url } = await startWitness('w1.example')
    const post = (body: string | Uint8Array<ArrayBuffer>, path = '/add-checkpoint') =>
      fetch(url + path, { method: 'POST', body })
    expect((await post('nonsense')).status).toBe(400)
    expect((await post('', '/other')).status).toBe(404)
    expect((await fetch(`${url}/add-checkpoint`)).status).toBe(405)
    expect((await post(new Uint8Array(70_000))).status).toBe(413)
    const foreign =
      'old 0\n\nother.example\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u2014 other.example AAAAAAAAAA==\n'
    expect((await post(foreign)).status).toBe(404)
    expect((await post(foreign.replaceAll('other.example', log.origin))).status).toBe(403)
  })
})
