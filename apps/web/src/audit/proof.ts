import type { AuditEventView, AuditProof } from '@wardline/protocol'
import { checkProof, parseLeaf } from '@wardline/transparency-log/browser'
import type { strings } from '../strings.ts'

export type ProofFault = keyof (typeof strings)['audit']['proof']['faults']
export type ProofVerdict =
  | { readonly ok: true; readonly size: number }
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
  return { ok: true, size: verdict.checkpoint.size }
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

/** Names are not in the log: they are looked up, and can change. */
function saysTheSame(row: AuditEventView, entry: string): boolean {
  const leaf = parseLeaf(bytes(entry))
  if (leaf?.kind !== 'event' || leaf.writer !== row.writer || leaf.seq !== row.seq) return false
  const event = leaf.event as Readonly<Record<string, unknown>>
  const { at, action, outcome, reason, session, device, connection, address, origin, patient } = row
  const shown = { at, action, outcome, reason, session, device, connection, address, origin, patient }
  const isSame = Object.entries(shown).every(([name, value]) => (event[name] ?? null) === value)
  const actor = event['actor'] ?? null
  return (
    isSame && (row.actor === null ? actor === null || actor === NOBODY : row.actor.id === actor) && isAbout(row, event)
  )
}

function isAbout({ resource }: AuditEventView, event: Readonly<Record<string, unknown>>): boolean {
  return resource === null || event[resource.kind === 'session' ? 'subject' : resource.kind] === resource.id
}

/** The system itself. */
const NOBODY = '00000000-0000-0000-0000-000000000000'
