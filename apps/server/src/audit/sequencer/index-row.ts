import type { IndexRow, PendingRow } from '../../storage/sequencer-rows.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const WORD = /^[a-z.-]{1,64}$/

/** What the review's filters ask of an event; null where its bytes are no event (then only the list without filters shows it). */
export function indexRowOf({ tenantId, writerId, seq, at, event }: PendingRow, index: number): IndexRow | null {
  const { action, outcome, actor, patient, connection } = fieldsOf(event)
  if (!isWord(action) || !isWord(outcome) || !Number.isSafeInteger(at)) return null
  return {
    tenantId,
    index,
    at,
    writerId,
    seq,
    action,
    outcome,
    actor: idOrNull(actor),
    patient: idOrNull(patient),
    connection: idOrNull(connection),
  }
}

function fieldsOf(event: Buffer): Record<string, unknown> {
  try {
    return Object(JSON.parse(event.toString())) as Record<string, unknown>
  } catch {
    return {}
  }
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && WORD.test(value)
}

function idOrNull(value: unknown): string | null {
  return typeof value === 'string' && UUID.test(value) ? value : null
}
