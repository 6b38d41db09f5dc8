// node packages/transparency-log/bench/log-rate.ts [entries, 1000000 by default]: writes a log, verifies it, says how fast, and how fast one that goes on from there.
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { canonicalBytes } from '../src/canonical-json.ts'
import { directoryStore } from '../src/directory-store.ts'
import { eventLeaf } from '../src/leaf.ts'
import { openLog } from '../src/log.ts'
import { generateNoteKey, parseSignerKey } from '../src/note-keys.ts'
import { verifyLog } from '../src/verify-log.ts'

const ORIGIN = 'bench.example'
const BATCH = 8192
const entries = Number(process.argv[2] ?? 1_000_000)
const signer = parseSignerKey(generateNoteKey(ORIGIN).skey)
const ids = Array.from({ length: 64 }, () => randomUUID())
const writers = Array.from({ length: 8 }, () => ({ name: randomUUID(), last: 0 }))

/** An entry of the size and shape of a posted message's audit event. */
function entry(i: number): Uint8Array {
  const writer = writers[i % writers.length] as (typeof writers)[number]
  const id = (n: number): string => ids[(i * n) % ids.length] as string
  const event = {
    action: 'message.post',
    actor: { device: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs', session: id(3), user: id(5) },
    address: '10.20.30.40',
    at: 1_767_225_600_000 + i,
    connection: id(7),
    origin: 'https://wardline.example',
    outcome: 'allowed',
    reason: 'member',
    resource: { id: id(11), kind: 'channel' },
    tenant: id(1),
  }
  writer.last++
  return eventLeaf(canonicalBytes(event), writer.last, writer.name)
}

function report(what: string, since: number): void {
  const seconds = (performance.now() - since) / 1000
  const megabytes = Math.round(process.memoryUsage().rss / 1e6)
  const rate = Math.round(entries / seconds).toLocaleString('en')
  process.stdout.write(`${what} ${entries} entries: ${seconds.toFixed(1)} s, ${rate}/s, ${megabytes} MB resident\n`)
}

const scratch = path.join(import.meta.dirname, '../.data')
await mkdir(scratch, { recursive: true })
const folder = await mkdtemp(path.join(scratch, 'log-rate-'))
try {
  const store = directoryStore(folder)
  const writing = performance.now()
  const log = await openLog(store, { origin: ORIGIN, signers: [signer] })
  for (let at = 0; at < entries; at += BATCH) {
    await log.append(Array.from({ length: Math.min(BATCH, entries - at) }, (_, i) => entry(at + i)))
    await log.publish()
  }
  report('wrote', writing)
  const verifying = performance.now()
  const trust = { origin: ORIGIN, logKeys: [signer.verifier] }
  const { ok, verified } = await verifyLog(store, { ...trust, now: Date.now() })
  report(ok ? 'verified' : 'could not verify', verifying)
  if (verified === undefined) throw new Error('there is nothing to go on from')
  await log.append([entry(entries)])
  await log.publish()
  const going = performance.now()
  const next = await verifyLog(store, { ...trust, since: verified, now: Date.now() })
  const ms = Math.round(performance.now() - going)
  process.stdout.write(
    `${next.ok ? 'verified' : 'could not verify'} what came since, ${next.entries} entry: ${ms} ms\n`,
  )
} finally {
  await rm(folder, { recursive: true })
}
