import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { PatientIdentity } from '@wardline/protocol'
import { useWardline } from '../wardline/context.tsx'

const keyOf = (id: string) => ['patient-identity', id]

/** Looks a patient up by a whole record number. It travels in a body, never in an address. */
export function useFindPatient() {
  const { api } = useWardline()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (mrn: string) => api.admin.findPatient(mrn),
    onSuccess: (patient) => client.setQueryData(keyOf(patient.id), patient),
  })
}

/** Who a patient is, if this page has looked them up; an id alone says nobody's name. */
export function usePatientIdentity(id: string | undefined): PatientIdentity | undefined {
  return (
    useQuery<PatientIdentity | null>({
      queryKey: keyOf(id ?? ''),
      queryFn: () => null,
      enabled: false,
      gcTime: Number.POSITIVE_INFINITY,
    }).data ?? undefined
  )
}
