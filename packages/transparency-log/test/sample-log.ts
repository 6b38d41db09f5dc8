import { canonicalBytes } from '../src/canonical-json.ts'
import { eventLeaf, heartbeatLeaf, type VoidStatement, voidLeaf } from '../src/leaf.ts'
import { openLog } from '../src/log.ts'
import { memoryStore } from '../src/memory-store.ts'
import { generateNoteKey, parseSignerKey } from '../src/note-keys.ts'
import type { VerifyOptions } from '../src/verify-log.ts'
import { signVoid } from '../src/void.ts'

export const ORIGIN = 'wardline.example/audit'
export const NOW = 1_767_225_600_000
export const signer = parseSignerKey(generateNoteKey(ORIGIN).skey)
export const trust: VerifyOptions = { origin: ORIGIN, logKeys: [signer.verifier], now: NOW, maxHeartbeatAgeMs: 120_000 }

/** Numbers leaves as the writers of a server would. */
export function leafMaker() {
  const numbers = new Map<string, number>()
  const next = (writer: string): number => {
    const seq = (numbers.get(writer) ?? 0) + 1
    numbers.set(writer, seq)
    return seq
  }
  return {
    event: (writer: string, action = 'message.post') => {
      const seq = next(writer)
      return eventLeaf(canonicalBytes({ action, at: NOW, n: seq, outcome: 'allowed' }), seq, writer)
    },
    heartbeat: (at: number) => heartbeatLeaf(at, next('sequencer'), 'sequencer'),
    void: (statement: VoidStatement, by = signer, origin = ORIGIN) =>
      voidLeaf(signVoid(statement, origin, by), next('sequencer'), 'sequencer'),
    /** Numbers that are drawn and never logged. */
    skip: (writer: string, count: number) => {
      const first = next(writer)
      for (let i = 1; i < count; i++) next(writer)
      return { first, last: first + count - 1 }
    },
  }
}

/** `count` leaves of three writers in turn; every 50th is a heartbeat, and the last one is of this moment. */
export function auditLeaves(count: number, make = leafMaker()): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    if (i === count - 1 || i % 50 === 49) return make.heartbeat(NOW - (count - 1 - i) * 1000)
    return make.event(['lane-a', 'lane-b', 'lane-c'][i % 3] as string)
  })
}

/** A log of `leaves` with checkpoints kept at the sizes given, signed by `by`. */
export async function sampleLog(leaves: readonly Uint8Array[], kept: readonly number[] = [], by = signer) {
  const store = memoryStore()
  const log = await openLog(store, { origin: ORIGIN, signers: [by] })
  for (const size of [...kept, leaves.length]) {
    await log.append(leaves.slice(log.head.size, size))
    await log.publish()
    if (kept.includes(size)) await log.keep()
  }
  return store
}
