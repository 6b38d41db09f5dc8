import { uuid } from '@wardline/protocol'
import type { useWardline } from '../wardline/context.tsx'

type Api = ReturnType<typeof useWardline>['api']

/** The id of a patient as somebody types it: the id itself, or a record number that the server is asked about. Rejects `not-found`. */
export async function patientOf(api: Api, typed: string): Promise<string> {
  const id = uuid.safeParse(typed.trim().toLowerCase())
  return id.success ? id.data : (await api.admin.auditPatient(typed.trim())).patient
}
