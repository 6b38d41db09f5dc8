import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ChannelSummary, ServerFrameOf } from '@wardline/protocol'
import { useCallback, useEffect } from 'react'
import { useConnectionState, useWardline } from '../wardline/context.tsx'
import { withAllRead, withInboxChanged, withoutChannel, withRead } from './events.ts'

const KEY = ['channels'] as const
/** How far this page has read each conversation: the server may not know yet. By channel id. */
const READ_HERE = ['channels-read-here'] as const
const PAGE = 200
/** 2,000 conversations: beyond what one person can be in; a bound all the same. */
const MOST_PAGES = 10

/** All my conversations. */
export function useInbox() {
  const { api } = useWardline()
  const client = useQueryClient()
  return useQuery({
    queryKey: KEY,
    staleTime: 60_000,
    queryFn: async () => {
      const channels: ChannelSummary[] = []
      let cursor: string | null = null
      for (let pages = 0; pages < MOST_PAGES; pages += 1) {
        const page: { items: ChannelSummary[]; next: string | null } = await api.channels({
          limit: PAGE,
          ...(cursor === null ? {} : { cursor }),
        })
        channels.push(...page.items)
        cursor = page.next
        if (cursor === null) break
      }
      return withAllRead(channels, readHere(client))
    },
  })
}

/** Those of my conversations that this page holds already; asks nobody. */
export function useInboxHeld(): readonly ChannelSummary[] {
  return useQuery<readonly ChannelSummary[]>({ queryKey: KEY, queryFn: () => [], enabled: false }).data ?? []
}

function readHere(client: QueryClient): ReadonlyMap<string, number> {
  return client.getQueryData<ReadonlyMap<string, number>>(READ_HERE) ?? new Map()
}

function patch(
  client: QueryClient,
  change: (channels: readonly ChannelSummary[]) => readonly ChannelSummary[] | null,
): void {
  const channels = client.getQueryData<readonly ChannelSummary[]>(KEY)
  if (channels === undefined) return
  const changed = change(channels)
  if (changed === null) void client.invalidateQueries({ queryKey: KEY })
  else if (changed !== channels) client.setQueryData(KEY, changed)
}

/** Keeps the list true: by what the socket says, and by asking again whenever the line has been away. */
export function useInboxEvents(): void {
  const wardline = useWardline()
  const client = useQueryClient()
  const { is } = useConnectionState()

  useEffect(() => {
    return wardline.on('inbox', (frame: ServerFrameOf<'inbox.changed'>) =>
      patch(client, (channels) => {
        const changed = withInboxChanged(channels, frame, new Date().toISOString())
        return changed === null ? null : withAllRead(changed, readHere(client))
      }),
    )
  }, [wardline, client])

  useEffect(() => {
    if (is === 'live') void client.invalidateQueries({ queryKey: KEY })
  }, [client, is])
}

/** What this page itself does to the list, before the server says so. */
export function useInboxChanges() {
  const client = useQueryClient()
  return {
    markRead: useCallback(
      (channel: string, seq: number) => {
        client.setQueryData(READ_HERE, new Map(readHere(client)).set(channel, seq))
        patch(client, (channels) => withRead(channels, channel, seq))
      },
      [client],
    ),
    remove: useCallback(
      (channel: string) => {
        patch(client, (channels) => withoutChannel(channels, channel))
        void client.invalidateQueries({ queryKey: KEY })
      },
      [client],
    ),
    refresh: useCallback(() => client.invalidateQueries({ queryKey: KEY }), [client]),
  }
}

/** A conversation that is not in the list, asked for by its id: an old link, or one that was opened a moment ago. */
export function useChannelSummary(id: string, enabled: boolean) {
  const { api } = useWardline()
  return useQuery({ queryKey: ['channel', id], queryFn: () => api.channel(id), enabled, retry: false })
}
