import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useWardline } from '../wardline/context.tsx'
import type { AuditSearch } from './search.ts'

/** So many events a page; a page may be shorter, or empty, and still have another behind it. */
const PAGE = 100

/** The events that match, newest first, page by page. */
export function useAuditEvents(search: AuditSearch) {
  const { api } = useWardline()
  return useInfiniteQuery({
    queryKey: ['audit', search],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      api.admin.auditEvents({ ...search, limit: PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) }),
    getNextPageParam: (page) => page.next,
    // Each reading of the audit is an event in it: only when asked for.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  })
}

/** How many entries are signed for, as of the last reading of the events; undefined while nobody knows. */
export function useCheckpointSize(asOf: number): number | undefined {
  const { api } = useWardline()
  const { data } = useQuery({
    queryKey: ['audit-checkpoint', asOf],
    enabled: asOf > 0,
    queryFn: () => api.admin.auditCheckpoint(),
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
  })
  return data?.size
}
