import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { AlertResolution, AlertSettings } from '@wardline/protocol'
import { useWardline } from '../wardline/context.tsx'

/** Which alerts are shown. */
export type AlertsShown = 'active' | 'closed'

const PAGE = 50
/** Looking at alerts is in the audit: they are read again when the server says that something has changed, and not by themselves. */
const WHEN_TOLD = {
  staleTime: Number.POSITIVE_INFINITY,
  refetchOnWindowFocus: false,
  refetchOnReconnect: false,
} as const

export function useAlerts(state: AlertsShown) {
  const { api } = useWardline()
  return useInfiniteQuery({
    queryKey: ['alerts', state],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      api.admin.alerts({ state, limit: PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) }),
    getNextPageParam: (page) => page.next,
    ...WHEN_TOLD,
  })
}

export function useAlert(id: string) {
  const { api } = useWardline()
  return useQuery({ queryKey: ['alert', id], queryFn: () => api.admin.alert(id), ...WHEN_TOLD })
}

/** Somebody looks after an alert, or is done with it. */
export function useAlertActs(id: string) {
  const { api } = useWardline()
  const queries = useQueryClient()
  const onSuccess = () =>
    Promise.all(['alerts', 'alert'].map((key) => queries.invalidateQueries({ queryKey: [key] }))).then(() => undefined)
  return {
    acknowledge: useMutation({ mutationFn: () => api.admin.acknowledgeAlert(id), onSuccess }),
    close: useMutation({ mutationFn: (as: AlertResolution) => api.admin.closeAlert(id, as), onSuccess }),
  }
}

const WEBHOOK = ['alert-webhook']
/** What became of a message shows within so many milliseconds, while one waits. */
const WAITING_MS = 2_000

/** Where alerts are sent, and what became of the last of them. */
export function useWebhook() {
  const { api } = useWardline()
  const queries = useQueryClient()
  const onSuccess = () => queries.invalidateQueries({ queryKey: WEBHOOK })
  return {
    shown: useQuery({
      queryKey: WEBHOOK,
      queryFn: () => api.admin.alertWebhook(),
      refetchInterval: ({ state }) =>
        state.data?.deliveries.some((each) => each.state === 'waiting' && each.attempts === 0) === true
          ? WAITING_MS
          : false,
      ...WHEN_TOLD,
    }),
    set: useMutation({ mutationFn: (url: string) => api.admin.setAlertWebhook(url), onSuccess }),
    remove: useMutation({ mutationFn: () => api.admin.removeAlertWebhook(), onSuccess }),
    test: useMutation({
      mutationFn: () => api.admin.testAlertWebhook(),
      onSuccess: (webhook) => queries.setQueryData(WEBHOOK, webhook),
    }),
  }
}

export function useAlertSettings() {
  const { api } = useWardline()
  const queries = useQueryClient()
  return {
    shown: useQuery({ queryKey: ['alert-settings'], queryFn: () => api.admin.alertSettings(), ...WHEN_TOLD }),
    change: useMutation({
      mutationFn: (settings: AlertSettings) => api.admin.changeAlertSettings(settings),
      onSuccess: (settings) => queries.setQueryData(['alert-settings'], settings),
    }),
  }
}
