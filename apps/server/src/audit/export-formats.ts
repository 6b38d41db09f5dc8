import type { AuditEventView } from '@wardline/protocol'
import { fhirAuditEvent } from './fhir-audit-event.ts'

/** How an export is written: what comes first, and each event's line. */
export type ExportFormat = {
  readonly contentType: string
  readonly fileName: string
  readonly head: string
  /** @param host the server's public name */
  line(event: AuditEventView, host: string): string
}

const COLUMNS = [
  'index',
  'at',
  'writer',
  'seq',
  'action',
  'outcome',
  'reason',
  'actor',
  'actorName',
  'patient',
  'resourceKind',
  'resource',
  'session',
  'device',
  'connection',
  'address',
  'origin',
  'resourceName',
  'also',
  'count',
  'sequence',
  'until',
] as const

export const EXPORT_FORMATS: Readonly<Record<'csv' | 'ndjson' | 'fhir', ExportFormat>> = {
  csv: {
    contentType: 'text/csv; charset=utf-8; header=present',
    fileName: 'audit.csv',
    head: csvLine(COLUMNS),
    line: (event) => csvLine(COLUMNS.map((column) => csvValues(event)[column])),
  },
  ndjson: {
    contentType: 'application/x-ndjson',
    fileName: 'audit.ndjson',
    head: '',
    line: (event) => `${JSON.stringify(event)}\n`,
  },
  fhir: {
    contentType: 'application/fhir+ndjson; fhirVersion=4.0',
    fileName: 'audit.fhir.ndjson',
    head: '',
    line: (event, host) => `${JSON.stringify(fhirAuditEvent(event, host))}\n`,
  },
}

function csvValues(event: AuditEventView): Record<(typeof COLUMNS)[number], string | number | null> {
  const { actor, resource, also, ...rest } = event
  return {
    ...rest,
    actor: actor?.id ?? null,
    actorName: actor?.displayName ?? null,
    resourceKind: resource?.kind ?? null,
    resource: resource?.id ?? null,
    resourceName: resource?.name ?? null,
    also: also.map(({ kind, id }) => `${kind}:${id}`).join(' ') || null,
  }
}

/**
 * RFC 4180, every field quoted. A field that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV
 * Injection"): names are typed by people.
 */
function csvLine(fields: readonly (string | number | null)[]): string {
  return `${fields.map(csvField).join(',')}\r\n`
}

function csvField(value: string | number | null): string {
  const text = value === null ? '' : String(value)
  const safe = /^\s*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) ? `'${text}` : text
  return `"${safe.replaceAll('"', '""')}"`
}
