import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { AuditCheckpoint, AuditReview } from '@wardline/protocol'
import { useWardline } from '../wardline/context.tsx'
import { type AuditSearch, filterOf } from './search.ts'

/** So many events a page; a page may be shorter, or empty, and still have another behind it. */
const PAGE = 100

/** The events that match, newest first, page by page. */
export function useAuditEvents(search: AuditSearch) {
  const { api } = useWardline()
  return useInfiniteQuery({
    queryKey: ['audit', filterOf(search)],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      api.admin.auditEvents({ ...filterOf(search), limit: PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) }),
    getNextPageParam: (page) => page.next,
    // Each reading of the audit is an event in it: only when asked for.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  })
}

/** What is signed of the log, as of the last reading of the events; undefined while nobody knows. */
export function useCheckpoint(asOf: number): AuditCheckpoint | undefined {
  const { api } = useWardline()
  const { data } = useQuery({
    queryKey: ['audit-checkpoint', asOf],
    enabled: asOf > 0,
    queryFn: () => api.admin.auditCheckpoint(),
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
  })
  return data
}

/** Reading of the audit leaves an event each time: only what is asked for is read, and once. */
const once = {
  staleTime: Number.POSITIVE_INFINITY,
  refetchOnWindowFocus: false,
  refetchOnReconnect: false,
} as const

/** How many match over time, whatever stretch of it the list shows. */
export function useHistogram(search: AuditSearch, asOf: number) {
  const { api } = useWardline()
  const { from: _, until: __, ...filter } = filterOf(search)
  return useQuery({
    queryKey: ['audit-histogram', filter, asOf],
    enabled: asOf > 0,
    queryFn: () => api.admin.auditHistogram(filter),
    placeholderData: (before) => before,
    ...once,
  })
}

export function usePatientAccess(patient: string) {
  const { api } = useWardline()
  return useQuery({ queryKey: ['audit-patient', patient], queryFn: () => api.admin.patientAccess(patient), ...once })
}

/** The filters that I keep, and how to keep another or let one go. */
export function useKeptFilters() {
  const { api } = useWardline()
  const client = useQueryClient()
  const key = ['audit-filters']
  const again = () => client.invalidateQueries({ queryKey: key })
  return {
    kept: useQuery({ queryKey: key, queryFn: () => api.admin.auditFilters(), ...once }),
    keep: useMutation({ mutationFn: api.admin.keepAuditFilter, onSuccess: again }),
    letGo: useMutation({ mutationFn: api.admin.removeAuditFilter, onSuccess: again }),
  }
}

export function useReviews() {
  const { api } = useWardline()
  return useQuery({ queryKey: ['audit-reviews'], queryFn: () => api.admin.auditReviews(), ...once })
}

export function useOpenReview(onOpen: (review: AuditReview) => void) {
  const { api } = useWardline()
  const client = useQueryClient()
  return useMutation({
    mutationFn: api.admin.openAuditReview,
    onSuccess: async (review) => {
      await client.invalidateQueries({ queryKey: ['audit-reviews'] })
      onOpen(review)
    },
  })
}

export function useSignReview() {
  const { api } = useWardline()
  const client = useQueryClient()
  return useMutation({
    mutationFn: api.admin.signAuditReview,
    onSuccess: () => client.invalidateQueries({ queryKey: ['audit-reviews'] }),
  })
}

/** What was marked in a review so far, by the event's place; and how to mark. */
export function useMarks(review: string | undefined) {
  const { api } = useWardline()
  const client = useQueryClient()
  const key = ['audit-marks', review]
  const { data } = useQuery({
    queryKey: key,
    enabled: review !== undefined,
    queryFn: () => api.admin.auditMarks(review ?? ''),
    ...once,
  })
  const mark = useMutation({
    mutationFn: (body: Parameters<typeof api.admin.markAuditEvent>[1]) => api.admin.markAuditEvent(review ?? '', body),
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
  })
  return { marks: new Map((data?.items ?? []).map((each) => [`${each.writer}/${each.seq}`, each.verdict])), mark }
}
