import type { ChannelSummary } from '@wardline/protocol'
import { useEffect, useRef } from 'react'
import { channelName } from '../inbox/sections.ts'
import { useConversations } from '../messages/conversations.tsx'
import { useSettings } from '../settings/settings.tsx'
import { strings } from '../strings.ts'
import { useAnnounce } from './announcer.tsx'
import { chime } from './chime.ts'

/**
 * Says what has come in: routine politely and without a sound, STAT at once and with one. It names the conversation and
 * never the content: what is announced may be heard by whoever stands by.
 */
export function useArrivals(channels: readonly ChannelSummary[] | undefined): void {
  const conversations = useConversations()
  const announce = useAnnounce()
  const { sound } = useSettings()
  const latest = useRef({ channels, sound })
  useEffect(() => {
    latest.current = { channels, sound }
  })

  useEffect(() => {
    return conversations.onArrival((id, { priority }) => {
      const channel = latest.current.channels?.find((each) => each.id === id)
      const where = channel === undefined ? strings.words.unknown : channelName(channel)
      announce(strings.shell.announce[priority](where), priority === 'stat' ? 'assertive' : 'polite')
      if (priority !== 'routine' && latest.current.sound) chime(priority)
    })
  }, [conversations, announce])
}
