import type { AuditEvent } from '../../apps/server/src/audit/event.ts'
import { NIL_UUID } from '../../apps/server/src/storage/errors.ts'
import type { TestServer } from './server.ts'

/** The audit events of a tenant (null: of none) that have all these values, oldest first; as they are in the database. */
export async function auditOf(
  server: TestServer,
  tenant: string | null,
  matching: Partial<Record<keyof AuditEvent, unknown>>,
): Promise<AuditEvent[]> {
  const id = tenant === null ? NIL_UUID : server.tenants.get(tenant)
  const rows = await server.database.query<{ event: Buffer }>(
    'SELECT event FROM audit_outbox WHERE tenant_id = $1 ORDER BY at, writer_id, writer_seq',
    [id],
  )
  const wanted = Object.entries(matching)
  return rows
    .map(({ event }) => JSON.parse(event.toString()) as AuditEvent)
    .filter((event) => wanted.every(([name, value]) => event[name as keyof AuditEvent] === value))
}
