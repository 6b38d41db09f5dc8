import type { AuditEventView } from '@wardline/protocol'
import { expect, test } from 'vitest'
import { fhirAuditEvent } from '../../apps/server/src/audit/fhir-audit-event.ts'
import { auditActions, auditOutcomes } from '../../apps/server/src/audit/vocabulary.ts'
import { faultsOf } from '../_util/fhir-audit-event.ts'

const id = (n: number) => `0b7f3c3e-6f0e-4b7c-9a63-3a1d2b8f0c${String(n).padStart(2, '0')}`
const event: AuditEventView = {
  writer: id(1),
  seq: 3,
  at: '2026-11-22T02:00:00.000Z',
  action: 'patient.read',
  outcome: 'allowed',
  reason: 'care-team',
  actor: { id: id(2), displayName: 'Astrid Lind' },
  session: null,
  device: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
  connection: null,
  address: '10.0.0.1',
  origin: null,
  resource: null,
  also: [],
  patient: id(3),
  count: null,
  sequence: null,
  until: null,
  index: 2,
}

test.each(auditActions)('%s is valid by the schema of R4, whatever is known of it', (action) => {
  for (const outcome of auditOutcomes) {
    for (const actor of [event.actor, { id: id(2), displayName: null }, null]) {
      for (const patient of [event.patient, null]) {
        for (const address of [event.address, null]) {
          const resource = actor === null ? null : { kind: 'message', id: id(4), name: null }
          const made = fhirAuditEvent({ ...event, action, outcome, actor, patient, address, resource }, 'ward.test')
          expect(faultsOf(made), JSON.stringify(made)).toEqual([])
        }
      }
    }
  }
})

test('a patient’s reading is IHE.BasicAudit.PatientRead; one that was refused claims nothing', () => {
  const profile = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead'
  expect(fhirAuditEvent(event, 'ward.test').meta).toEqual({ profile: [profile] })
  expect(fhirAuditEvent({ ...event, outcome: 'refused' }, 'ward.test').meta).toBeUndefined()
})

test('what is no AuditEvent is found to be none', () => {
  const good = JSON.parse(JSON.stringify(fhirAuditEvent(event, 'ward.test')))
  const spoiled = [
    { ...good, action: 'X' },
    { ...good, outcome: '1' },
    { ...good, recorded: 'yesterday' },
    { ...good, more: 1 },
    { ...good, agent: good.agent.slice(0, 2) },
    { ...good, entity: good.entity.slice(0, 1) },
    { ...good, type: { ...good.type, code: 'other' } },
    { ...good, source: { ...good.source, observer: { display: 'another' } } },
  ]
  for (const wrong of spoiled) expect(faultsOf(wrong), JSON.stringify(wrong)).not.toEqual([])
})
