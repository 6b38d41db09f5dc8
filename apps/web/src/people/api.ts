import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { AdminUser, Role } from '@wardline/protocol'
import { useMe, useWardline } from '../wardline/context.tsx'

/** Accounts of a page. */
const LIMIT = 50

/** The organisation's accounts, page after page. */
export function useAccounts() {
  const { api } = useWardline()
  const me = useMe().id
  return useInfiniteQuery({
    queryKey: ['accounts', me],
    queryFn: ({ pageParam }) => api.admin.users({ limit: LIMIT, ...(pageParam === null ? {} : { cursor: pageParam }) }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    staleTime: 0,
  })
}

/** Its roles: a hospital has a few dozen at most. */
export function useRoles() {
  const { api } = useWardline()
  const me = useMe().id
  return useQuery({ queryKey: ['roles', me], queryFn: () => api.admin.roles({ limit: 200 }), staleTime: 0 })
}

/** Sets whether a role needs a second factor; the list shows what the server has made of it. */
export function useRequireFactor() {
  const { api } = useWardline()
  const me = useMe().id
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ name, requireSecondFactor }: Pick<Role, 'name' | 'requireSecondFactor'>) =>
      api.admin.changeRole(name, { requireSecondFactor }),
    onSettled: () => client.invalidateQueries({ queryKey: ['roles', me] }),
  })
}

export function useResetFactors() {
  const { api } = useWardline()
  return useMutation({ mutationFn: ({ id }: AdminUser) => api.admin.resetFactors(id) })
}
