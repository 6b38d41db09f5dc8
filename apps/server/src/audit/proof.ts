import type { AuditCheckpoint, AuditProof } from '@wardline/protocol'
import {
  InconsistentLogError,
  parseLeaf,
  parseVerifierKey,
  proveEntry,
  type ReadableStore,
  readHandovers,
  readWitnessed,
  TileMissingError,
} from '@wardline/transparency-log'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import type { AuditHead } from '../storage/audit-log.ts'

/** After so long a checkpoint should cover what it did not: the promised merge delay, in milliseconds. */
const MERGE_MS = 1_000

/** What is signed of the audit log. Says nothing about what is in it, so nobody else's. @throws Refusal */
export async function readAuditCheckpoint(
  ctx: Context,
  caller: Caller,
  tiles: Pick<ReadableStore, 'read'>,
): Promise<AuditCheckpoint> {
  const { tenant } = caller.actor
  await decideFor(ctx, caller, 'audit.read', { kind: 'audit', tenant })
  const { size, note, vkey } = await headOf(ctx)
  return { origin: originIn(vkey), vkey, size, checkpoint: note, witnessed: await witnessedOf(ctx, tiles, vkey) }
}

async function witnessedOf(
  { config }: Pick<Context, 'config'>,
  tiles: Pick<ReadableStore, 'read'>,
  vkey: string,
): Promise<AuditCheckpoint['witnessed']> {
  if (config.witnesses.length === 0) return null
  const keys = config.witnesses.map((witness) => parseVerifierKey(witness.vkey))
  const trust = { origin: originIn(vkey), logKeys: [parseVerifierKey(vkey)], witnesses: { keys, threshold: 1 } }
  const head = await readWitnessed(tiles, trust)
  if (head === undefined) return null
  return { size: head.size, by: [...head.by], at: new Date(head.at * 1000).toISOString() }
}

/**
 * The entry at a place of the log and its proof. Whose it is, the entry itself says: one of another tenant, or the sequencer's own, is
 * not there for this caller. A proof holds hashes beside it, and no other entry. @throws Refusal
 */
export async function proveAuditEvent(
  ctx: Context,
  caller: Caller,
  tiles: ReadableStore,
  index: number,
): Promise<AuditProof> {
  const { tenant } = caller.actor
  const action = 'audit.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'audit', tenant }, { seq: index })
  const { size, vkey } = await headOf(ctx)
  if (index >= size) throw new Refusal('unavailable', 'unavailable', { retryAfterMs: MERGE_MS })
  const origin = originIn(vkey)
  const { entry, file } = await proved(tiles, { origin, logKeys: [parseVerifierKey(vkey)] }, index)
  if (tenantOf(entry) !== tenant) {
    return refuse(ctx, caller, new Refusal('not-found', 'tenant-wall'), action, { seq: index })
  }
  await ctx.database.auditOnly(tenant, { ...caller.trail, action, outcome: 'allowed', reason, seq: index, count: 1 })
  const handovers = (await readHandovers(tiles)).map((one) => ({ entry: text(one.entry), proof: text(one.file) }))
  return { index, entry: text(entry), proof: text(file), origin, vkey, ...(handovers.length > 0 && { handovers }) }
}

async function headOf({ database }: Context): Promise<AuditHead> {
  const head = await database.auditHead()
  if (head === null) throw new Refusal('unavailable', 'unavailable', { retryAfterMs: MERGE_MS })
  return head
}

/** The files may be elsewhere, or damaged: then there is no proof here, whoever asks. */
async function proved(...given: Parameters<typeof proveEntry>): ReturnType<typeof proveEntry> {
  try {
    return await proveEntry(...given)
  } catch (error) {
    const isUnproved =
      error instanceof InconsistentLogError || error instanceof TileMissingError || error instanceof RangeError
    if (isUnproved) throw new Refusal('unavailable', 'unavailable', { cause: error, retryAfterMs: MERGE_MS })
    throw error
  }
}

function tenantOf(entry: Uint8Array): unknown {
  const leaf = parseLeaf(entry)
  return leaf?.kind === 'event' ? (leaf.event as { tenant?: unknown }).tenant : undefined
}

/** A vkey begins with the key's name, which is the log's origin. */
function originIn(vkey: string): string {
  return vkey.slice(0, vkey.indexOf('+'))
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}
