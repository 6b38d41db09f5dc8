import type { AuditEventView, AuditProof } from '@wardline/protocol'
import { canonicalJson, checkProof, parseLeaf } from '@wardline/transparency-log/browser'
import type { strings } from '../strings.ts'

export type ProofFault = keyof (typeof strings)['audit']['proof']['faults']
export type ProofVerdict =
  /** `isFirst`: this device had never seen a key of the log, and believes this one from now on. */
  | { readonly ok: true; readonly size: number; readonly isFirst: boolean }
  | { readonly ok: false; readonly fault: ProofFault }

/** Where this device remembers the key that it was given first. A public key: no secret. */
export type KnownKey = { get(): string | null; set(vkey: string): void }

const bytes = (text: string) => new TextEncoder().encode(text)

/**
 * Whether the log holds what the row shows, by this device's own arithmetic: the key is the one that it has always been, the entry is in
 * the tree that the checkpoint is signed for, and the entry says what the row says.
 */
export async function verifyRow(row: AuditEventView, proof: AuditProof, known: KnownKey): Promise<ProofVerdict> {
  const { origin, vkey } = proof
  const first = known.get()
  if (first !== null && !(await leadsTo(first, proof))) return { ok: false, fault: 'other-key' }
  const verdict = await checkProof(bytes(proof.proof), bytes(proof.entry), { origin, logKeys: [vkey] }).catch(
    () => ({ ok: false, fault: 'malformed' }) as const,
  )
  if (!verdict.ok) return verdict
  if (verdict.index !== row.index || !saysTheSame(row, proof.entry)) return { ok: false, fault: 'other-entry' }
  known.set(vkey)
  return { ok: true, size: verdict.checkpoint.size, isFirst: first === null }
}

/**
 * Whether the key that this device knows is the log's, or led to it: by handovers, each an entry of the log under a checkpoint that the key
 * before and the key after have both signed.
 */
async function leadsTo(known: string, { origin, vkey, handovers = [] }: AuditProof): Promise<boolean> {
  let key = known
  for (const { entry, proof } of handovers) {
    const leaf = parseLeaf(bytes(entry))
    if (leaf?.kind !== 'handover' || leaf.handover.from !== key) continue
    const { to } = leaf.handover
    const verdict = await checkProof(bytes(proof), bytes(entry), { origin, logKeys: [key, to] }).catch(() => undefined)
    const isByBoth = verdict?.ok === true && [key, to].every((one) => verdict.by.includes(one))
    if (isByBoth && verdict.index === verdict.checkpoint.size - 1) key = to
  }
  return key === vkey
}

/** All that the entry says, and nothing else; but for names, which are looked up and can change. */
function saysTheSame(row: AuditEventView, entry: string): boolean {
  const leaf = parseLeaf(bytes(entry))
  if (leaf?.kind !== 'event' || leaf.writer !== row.writer || leaf.seq !== row.seq) return false
  const { v: _version, tenant: _tenant, actor, ...said } = leaf.event as Readonly<Record<string, unknown>>
  const logged = actor === undefined || actor === NOBODY ? said : { ...said, actor }
  return canonicalJson(logged) === canonicalJson(shownIn(row))
}

function shownIn(row: AuditEventView): Record<string, unknown> {
  const { at, action, outcome, reason, session, device, connection, address, origin, patient, count, until } = row
  const things = [...(row.resource === null ? [] : [row.resource]), ...row.also]
  const all = {
    ...{ at, action, outcome, reason, session, device, connection, address, origin, patient, count, until },
    ...{ actor: row.actor?.id ?? null, seq: row.sequence },
    ...Object.fromEntries(things.map(({ kind, id }) => [kind === 'session' ? 'subject' : kind, id])),
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))
}

/** The system itself. */
const NOBODY = '00000000-0000-0000-0000-000000000000'
