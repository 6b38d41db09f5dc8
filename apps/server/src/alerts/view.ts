import type { Alert, AlertKind, AlertResolution, AlertSeverity, AlertState } from '@wardline/protocol'
import type { TenantDb } from '../storage/transaction.ts'

/** An alert's row, as Prisma gives it. */
export type AlertRow = NonNullable<Awaited<ReturnType<TenantDb['alert']['findUnique']>>>

/** What the people of these alerts are called: whom they are about, and who has dealt with them. */
export async function namesOf(
  db: TenantDb,
  tenantId: string,
  rows: readonly AlertRow[],
): Promise<ReadonlyMap<string, string>> {
  const ids = new Set(rows.flatMap((row) => [row.userId, row.acknowledgedBy, row.closedBy]).filter((id) => id !== null))
  const where = { tenantId, id: { in: [...ids] } }
  const people = await db.user.findMany({ where, select: { id: true, displayName: true } })
  return new Map(people.map(({ id, displayName }) => [id, displayName]))
}

/** A row as it is shown. */
export function viewOfAlert(row: AlertRow, names: ReadonlyMap<string, string>): Alert {
  const person = (id: string) => ({ id, displayName: names.get(id) ?? null })
  const { userId, acknowledgedBy, acknowledgedAt, closedBy, closedAt } = row
  return {
    id: row.id,
    kind: row.kind as AlertKind,
    severity: row.severity as AlertSeverity,
    state: row.state as AlertState,
    scope: row.scope === 'installation' ? 'installation' : 'tenant',
    user: userId === null ? null : person(userId),
    address: row.address,
    patient: row.patientId,
    count: row.count,
    firstAt: row.firstAt.toISOString(),
    lastAt: row.lastAt.toISOString(),
    raisedAt: row.raisedAt.toISOString(),
    acknowledged:
      acknowledgedBy === null || acknowledgedAt === null
        ? null
        : { by: person(acknowledgedBy), at: acknowledgedAt.toISOString() },
    closed:
      closedBy === null || closedAt === null
        ? null
        : { by: person(closedBy), at: closedAt.toISOString(), resolution: row.resolution as AlertResolution },
  }
}
