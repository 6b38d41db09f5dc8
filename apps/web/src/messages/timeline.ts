import type { AcknowledgeResponse, ChannelEvent, Priority, RecallReason } from '@wardline/protocol'
import { strings } from '../strings.ts'

type Posted = Extract<ChannelEvent['event'], { type: 'message.posted' }>

/** A message as it was posted. What became of it since is its `Amendment`. */
export interface PostedMessage {
  readonly kind: 'message'
  readonly seq: number
  readonly at: string
  readonly id: string
  readonly sender: string
  readonly clientId: string
  readonly body: string
  readonly priority: Priority
  readonly intent: Posted['intent']
  readonly ackRequired: boolean
  readonly inReplyTo: string | null
}

/** Something that happened to the conversation itself: people who came and went, emergency access. */
export interface Notice {
  readonly kind: 'notice'
  readonly seq: number
  readonly at: string
  readonly event: Extract<
    ChannelEvent['event'],
    { type: 'member.joined' | 'member.left' | 'emergency-access.opened' | 'emergency-access.closed' }
  >
}

/** Sequences that the server no longer has, or that this page cannot read: said, never skipped in silence. */
export interface Hole {
  readonly kind: 'hole'
  readonly seq: number
  readonly to: number
}

export type Item = PostedMessage | Notice | Hole

export interface Acknowledgement {
  readonly by: string
  readonly response: AcknowledgeResponse | null
  readonly at: string
  readonly seq: number
}

/** What became of a message. The original stays: `correction` is shown instead of its body and said to be one. */
export interface Amendment {
  readonly correction: { readonly body: string; readonly by: string; readonly at: string; readonly seq: number } | null
  readonly recall: {
    readonly by: string
    readonly reason: RecallReason
    readonly at: string
    readonly seq: number
  } | null
  /** One for each person: the latest. In the order of their sequence. */
  readonly acknowledgements: readonly Acknowledgement[]
  readonly escalations: readonly {
    readonly to: string
    readonly step: number
    readonly at: string
    readonly seq: number
  }[]
}

/** One channel as far as this device holds it: each sequence from `from + 1` to `head`, once and in order (P3). */
export interface Timeline {
  /** Ascending. */
  readonly items: readonly Item[]
  /** By message id; also for messages that are older than `from`. */
  readonly amendments: ReadonlyMap<string, Amendment>
  readonly from: number
  readonly head: number
  /** Whether there is nothing older. */
  readonly complete: boolean
}

const UNTOUCHED: Amendment = { correction: null, recall: null, acknowledgements: [], escalations: [] }

/** An empty timeline of a channel of which everything up to and including `after` is left on the server. */
export function emptyTimeline(after: number): Timeline {
  return { items: [], amendments: new Map(), from: after, head: after, complete: after === 0 }
}

/** What was said; or that it cannot be read, where somebody has changed what is stored. */
function wordsOf({ body, unreadable }: { readonly body: string; readonly unreadable?: true | undefined }): string {
  return unreadable === true ? strings.messages.unreadable : body
}

function bySeq(a: { seq: number }, b: { seq: number }): number {
  return a.seq - b.seq
}

/** The amendment with one more event in it; the order in which events are learned makes no difference. */
function amended(amendment: Amendment, { seq, at, event }: ChannelEvent): Amendment {
  switch (event.type) {
    case 'message.corrected':
      if (amendment.correction !== null && amendment.correction.seq >= seq) return amendment
      return { ...amendment, correction: { body: wordsOf(event), by: event.by, at, seq } }
    case 'message.recalled':
      return { ...amendment, recall: { by: event.by, reason: event.reason, at, seq } }
    case 'message.acknowledged': {
      const others = amendment.acknowledgements.filter((each) => each.by !== event.by)
      const before = amendment.acknowledgements.find((each) => each.by === event.by)
      const latest =
        before !== undefined && before.seq > seq ? before : { by: event.by, response: event.response, at, seq }
      return { ...amendment, acknowledgements: [...others, latest].toSorted(bySeq) }
    }
    case 'message.escalated':
      return {
        ...amendment,
        escalations: [...amendment.escalations, { to: event.to, step: event.step, at, seq }].toSorted(bySeq),
      }
    default:
      return amendment
  }
}

function itemOf({ seq, at, event }: ChannelEvent): Item | null {
  switch (event.type) {
    case 'message.posted':
      return {
        kind: 'message',
        seq,
        at,
        id: event.message,
        sender: event.sender,
        clientId: event.clientId,
        body: wordsOf(event),
        priority: event.priority,
        intent: event.intent,
        ackRequired: event.ackRequired,
        inReplyTo: event.inReplyTo,
      }
    case 'member.joined':
    case 'member.left':
    case 'emergency-access.opened':
    case 'emergency-access.closed':
      return { kind: 'notice', seq, at, event }
    case 'message.corrected':
    case 'message.recalled':
    case 'message.acknowledged':
    case 'message.escalated':
      return null
  }
}

/** Items and amendments of events, ascending; `amendments` is copied only if it must change. */
function sorted(
  amendments: Timeline['amendments'],
  events: readonly ChannelEvent[],
): { items: Item[]; amendments: Timeline['amendments'] } {
  const items: Item[] = []
  let changed: Map<string, Amendment> | undefined
  for (const each of events) {
    const item = itemOf(each)
    if (item !== null) items.push(item)
    else if ('message' in each.event) {
      changed ??= new Map(amendments)
      changed.set(each.event.message, amended(changed.get(each.event.message) ?? UNTOUCHED, each))
    }
  }
  return { items, amendments: changed ?? amendments }
}

/** The timeline with what came after its head. Events that it holds already change nothing. */
export function append(timeline: Timeline, events: readonly ChannelEvent[]): Timeline {
  const fresh = events.filter((each) => each.seq > timeline.head)
  const last = fresh.at(-1)
  if (last === undefined) return timeline
  const { items, amendments } = sorted(timeline.amendments, fresh)
  return {
    ...timeline,
    items: items.length === 0 ? timeline.items : [...timeline.items, ...items],
    amendments,
    head: last.seq,
  }
}

/** The timeline with a page of the past before it. `complete`: nothing precedes the page. */
export function prepend(timeline: Timeline, events: readonly ChannelEvent[], complete: boolean): Timeline {
  const older = events.filter((each) => each.seq <= timeline.from)
  const first = older[0]
  const { items, amendments } = sorted(timeline.amendments, older)
  return {
    ...timeline,
    items: items.length === 0 ? timeline.items : [...items, ...timeline.items],
    amendments,
    from: complete ? 0 : Math.min(timeline.from, (first?.seq ?? timeline.from + 1) - 1),
    complete,
  }
}

/** The timeline with the news that sequences `from`–`to` cannot be had. */
export function skip(timeline: Timeline, from: number, to: number): Timeline {
  if (to <= timeline.head) return timeline
  return { ...timeline, items: [...timeline.items, { kind: 'hole', seq: from, to }], head: to }
}

/** The timeline without what came after `head`: the server was put back to an older state, and these are void. */
export function rewind(timeline: Timeline, head: number): Timeline {
  if (head >= timeline.head) return timeline
  const amendments = new Map<string, Amendment>()
  for (const [id, each] of timeline.amendments) {
    amendments.set(id, {
      ...each,
      correction: each.correction !== null && each.correction.seq > head ? null : each.correction,
      recall: each.recall !== null && each.recall.seq > head ? null : each.recall,
      acknowledgements: each.acknowledgements.filter(({ seq }) => seq <= head),
      escalations: each.escalations.filter(({ seq }) => seq <= head),
    })
  }
  const from = Math.min(timeline.from, head)
  return { ...timeline, items: timeline.items.filter(({ seq }) => seq <= head), amendments, head, from }
}

/** A message of the timeline, by id. */
export function messageById(timeline: Timeline, id: string): PostedMessage | null {
  const found = timeline.items.findLast((each) => each.kind === 'message' && each.id === id)
  return found?.kind === 'message' ? found : null
}

/** What became of a message: never undefined. */
export function amendmentOf(timeline: Timeline, message: string): Amendment {
  return timeline.amendments.get(message) ?? UNTOUCHED
}
