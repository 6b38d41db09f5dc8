import type { ChannelSummary } from '@wardline/protocol'
import { patientName } from '../format/patient.ts'

/** What waits for my acknowledgement in one conversation, by weight, and since when. */
export interface Waiting {
  readonly stat: number
  readonly urgent: number
  readonly since: string | null
}

/** One conversation in the inbox. */
export interface InboxRow {
  readonly channel: ChannelSummary
  readonly waiting: Waiting
}

/** First what waits for me, then what is new, then the rest: never one list in which a STAT can sink. */
export interface InboxSections {
  readonly waiting: readonly InboxRow[]
  readonly unread: readonly InboxRow[]
  readonly rest: readonly InboxRow[]
}

/** What a conversation is called: its patient, its title, or the people in it. */
export function channelName(channel: ChannelSummary): string {
  if (channel.patient !== null) return patientName(channel.patient)
  return channel.title ?? channel.with.map((each) => each.displayName).join(', ')
}

/** What the server counted when it was asked last, or what has been delivered since: whichever is more. */
function waitingOf({ awaiting }: ChannelSummary, delivered: Waiting | undefined): Waiting {
  if (delivered === undefined) return awaiting
  const since = [awaiting.since, delivered.since].filter((each) => each !== null).toSorted()[0] ?? null
  return {
    stat: Math.max(awaiting.stat, delivered.stat),
    urgent: Math.max(awaiting.urgent, delivered.urgent),
    since,
  }
}

function lastFirst(a: InboxRow, b: InboxRow): number {
  return (
    (b.channel.lastAt ?? '').localeCompare(a.channel.lastAt ?? '') ||
    channelName(a.channel).localeCompare(channelName(b.channel))
  )
}

/** STAT before urgent; among equals, whoever has waited longest. */
function pressingFirst(a: InboxRow, b: InboxRow): number {
  const stat = Number(b.waiting.stat > 0) - Number(a.waiting.stat > 0)
  if (stat !== 0) return stat
  const [since, other] = [a.waiting.since ?? a.channel.lastAt ?? '', b.waiting.since ?? b.channel.lastAt ?? '']
  return since.localeCompare(other) || lastFirst(a, b)
}

/** The inbox in its three parts. `delivered`: what waits among the messages that this page holds, by channel id. */
export function inboxSections(
  channels: readonly ChannelSummary[],
  delivered: ReadonlyMap<string, Waiting>,
): InboxSections {
  const waiting: InboxRow[] = []
  const unread: InboxRow[] = []
  const rest: InboxRow[] = []
  for (const channel of channels) {
    const row = { channel, waiting: waitingOf(channel, delivered.get(channel.id)) }
    if (row.waiting.stat + row.waiting.urgent > 0 || channel.urgent > 0) waiting.push(row)
    else if (channel.unread > 0) unread.push(row)
    else rest.push(row)
  }
  return {
    waiting: waiting.toSorted(pressingFirst),
    unread: unread.toSorted(lastFirst),
    rest: rest.toSorted(lastFirst),
  }
}

/** All of the inbox, the patients of it, or what is among colleagues: groups and direct conversations. */
export type Shown = 'all' | 'patient' | 'others'

export function ofKind(channels: readonly ChannelSummary[], shown: Shown): readonly ChannelSummary[] {
  return shown === 'all' ? channels : channels.filter(({ kind }) => (kind === 'patient') === (shown === 'patient'))
}

/** Without case and accents, so that `muller` finds Müller. */
function folded(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
}

/** Those in which each word of `filter` occurs: in a name, a title or a record number. */
export function matching(channels: readonly ChannelSummary[], filter: string): readonly ChannelSummary[] {
  const words = folded(filter).split(/\s+/).filter(Boolean)
  if (words.length === 0) return channels
  return channels.filter((channel) => {
    const { patient } = channel
    const people = channel.with.map((each) => `${each.displayName} ${each.title ?? ''}`).join(' ')
    const text = folded(
      `${channel.title ?? ''} ${people} ${patient === null ? '' : `${patient.family} ${patient.given} ${patient.mrn}`}`,
    )
    return words.every((word) => text.includes(word))
  })
}
