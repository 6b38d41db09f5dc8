import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { AdminUser, Role } from '@wardline/protocol'
import { useMe, useWardline } from '../wardline/context.tsx'
import type { PeopleSearch } from './search.ts'

/** Accounts, assignments or sign-ins of a page. */
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

/** What it answers is not kept when the dialog is gone. */
export function useMakeSetUpCode() {
  const { api } = useWardline()
  return useMutation({
    mutationFn: ({ id, resetFactors }: { readonly id: string; readonly resetFactors: boolean }) =>
      api.admin.makeSetUpCode(id, { resetFactors }),
    gcTime: 0,
  })
}

type Calls = ReturnType<typeof useWardline>['api']['admin']

/** Creates or changes an account; the list and the directory follow. */
export function useSavePerson() {
  const { api } = useWardline()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (save: (admin: Calls) => Promise<AdminUser>) => save(api.admin),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ['accounts'] }),
        client.invalidateQueries({ queryKey: ['directory'] }),
      ]),
  })
}

/** Who cares for a patient, or whom a person cares for: now, before and to come; the latest beginning first. */
export function useAssignments({ patient, person }: PeopleSearch) {
  const { api } = useWardline()
  const me = useMe().id
  return useInfiniteQuery({
    queryKey: ['care-team', me, patient ?? '', person ?? ''],
    enabled: patient !== undefined || person !== undefined,
    queryFn: ({ pageParam }) =>
      api.admin.careTeam({
        limit: LIMIT,
        ...(patient === undefined ? {} : { patient }),
        ...(person === undefined ? {} : { user: person }),
        ...(pageParam === null ? {} : { cursor: pageParam }),
      }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    staleTime: 0,
  })
}

export function useAssign() {
  const { api } = useWardline()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: Parameters<Calls['assign']>[0]) => api.admin.assign(body),
    onSuccess: () => client.invalidateQueries({ queryKey: ['care-team'] }),
  })
}

export function useEndAssignment() {
  const { api } = useWardline()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => api.admin.endAssignment(id),
    onSuccess: () => client.invalidateQueries({ queryKey: ['care-team'] }),
  })
}

type Of = { readonly limit: number; readonly user?: string; readonly cursor?: string }

/** What is so now, of everybody or of one, page after page: what was had before is asked for again. */
function useLive<T>(
  key: string,
  person: string | undefined,
  ask: (of: Of) => Promise<{ readonly items: readonly T[]; readonly next: string | null }>,
) {
  const me = useMe().id
  return useInfiniteQuery({
    queryKey: [key, me, person ?? ''],
    queryFn: ({ pageParam }) =>
      ask({
        limit: LIMIT,
        ...(person === undefined ? {} : { user: person }),
        ...(pageParam === null ? {} : { cursor: pageParam }),
      }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    staleTime: 0,
  })
}

/** Who is signed in, of everybody or of one; the latest sign-in first. */
export function useSignIns(person: string | undefined) {
  const { api } = useWardline()
  return useLive('sign-ins', person, (query) => api.admin.sessions(query))
}

/** The sockets that are open, of everybody or of one; the latest first. */
export function useConnections(person: string | undefined) {
  const { api } = useWardline()
  return useLive('connections', person, (query) => api.admin.connections(query))
}

/** Ends one sign-in, or all of a person; how many there were. */
export function useEndSignIns() {
  const { api } = useWardline()
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (what: { readonly session: string } | { readonly person: string }): Promise<number> => {
      if ('person' in what) return (await api.admin.endSessionsOf(what.person)).ended
      await api.admin.endSession(what.session)
      return 1
    },
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ['sign-ins'] }),
        client.invalidateQueries({ queryKey: ['connections'] }),
      ]),
  })
}
