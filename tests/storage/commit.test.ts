import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditId } from '../../apps/server/src/audit/event.ts'
import { onceId } from '../../apps/server/src/storage/channel-event.ts'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { auditRows, brokenChannels, brokenWriters, digestOf, postItem, receiptItem } from '../_util/channel-items.ts'
import { createTestDatabase, type SeededTenant, seedTenant, type TestDatabase } from '../_util/database.ts'

let store: TestDatabase
let database: Database
let tenant: SeededTenant
let nurse: string
let physician: string

beforeAll(async () => {
  store = await createTestDatabase()
  database = await store.open()
  tenant = await seedTenant(database, store.keys)
  nurse = await tenant.addUser()
  physician = await tenant.addUser()
})
afterAll(() => store.drop())

const commit = (...items: Parameters<Database['commitBatch']>[1]) => database.commitBatch(tenant.tenantId, items)
const channel = async () => (await tenant.addChannel(nurse, physician)).id

/** Of the rows that speak of this message, in the order of their outcomes: which lane wrote one is chance. */
async function auditOf(message: string) {
  const events = (await auditRows(store, tenant.tenantId)).map(({ event }) => event)
  return events.filter((event) => event.message === message).sort((a, b) => a.outcome.localeCompare(b.outcome))
}

describe('sequence', () => {
  it('R-41 is each channel’s own, from 1, without gaps, in the order given', async () => {
    const [a, b] = [await channel(), await channel()]
    const items = [a, b, a, a, b].map((id) => postItem(id, nurse))
    const results = await commit(...items)
    expect(results).toMatchObject([1, 1, 2, 3, 2].map((seq, i) => ({ verdict: 'accepted', seq, id: items[i]!.id })))
    const events = await database.readEvents(tenant.tenantId, a, 0, 10)
    expect(events.map((event) => [event.seq, event.id, event.body?.toString()])).toEqual(
      [items[0]!, items[2]!, items[3]!].map((item, i) => [i + 1, item.id, `sealed ${item.id}`]),
    )
    expect(await database.readHeads(tenant.tenantId, [a, b])).toEqual(
      new Map([
        [a, 3],
        [b, 2],
      ]),
    )
  })

  it('R-41 has no gap and no double when two nodes commit to the same channels at once', async () => {
    const other = await store.open()
    const channels = await Promise.all(Array.from({ length: 4 }, channel))
    const accepted: string[] = []
    const node = async (on: Database, user: string) => {
      for (let round = 0; round < 25; round++) {
        const items = Array.from({ length: 12 }, (_, i) => postItem(channels[(i * 7 + round) % 4]!, user))
        const results = await on.commitBatch(tenant.tenantId, items)
        for (const result of results) if (result.verdict === 'accepted') accepted.push(`${result.id}`)
      }
    }
    await Promise.all([node(database, nurse), node(other, physician), node(database, physician)])
    expect(new Set(accepted).size).toBe(900)
    expect(await brokenChannels(store)).toEqual([])
    expect(await brokenWriters(store)).toEqual([])
  })
})

describe('repeats', () => {
  it('[P4] give the first id, sequence and time; another digest is a conflict; neither takes a sequence', async () => {
    const id = await channel()
    const first = postItem(id, nurse)
    const [accepted] = await commit(first)
    const results = await commit(
      { ...first, id: randomUUID() },
      { ...first, id: randomUUID(), digest: digestOf('other') },
      postItem(id, nurse),
    )
    expect(results).toMatchObject([
      { ...accepted, verdict: 'repeated' },
      { verdict: 'conflict' },
      { verdict: 'accepted', seq: 2 },
    ])
  })

  it('[P4] are found within one batch as well', async () => {
    const id = await channel()
    const first = postItem(id, nurse)
    const results = await commit(
      first,
      { ...first, id: randomUUID() },
      { ...first, id: randomUUID(), digest: digestOf('other') },
      postItem(id, nurse),
    )
    expect(results).toMatchObject([
      { verdict: 'accepted', id: first.id, seq: 1 },
      { verdict: 'repeated', id: first.id, seq: 1 },
      { verdict: 'conflict' },
      { verdict: 'accepted', seq: 2 },
    ])
  })

  it('[P4] are the sender’s own: somebody else’s use of the same client id is a message of its own', async () => {
    const id = await channel()
    const first = postItem(id, nurse)
    const results = await commit(first, { ...postItem(id, physician), clientId: first.clientId })
    expect(results).toMatchObject([
      { verdict: 'accepted', seq: 1 },
      { verdict: 'accepted', seq: 2 },
    ])
  })

  it('[P4] the same client id in another channel is a conflict', async () => {
    const first = postItem(await channel(), nurse)
    await commit(first)
    expect(await commit({ ...first, id: randomUUID(), channelId: await channel() })).toEqual([{ verdict: 'conflict' }])
  })

  it('an acknowledgement is one per person and message, and a repeat gives its sequence', async () => {
    const id = await channel()
    const message = postItem(id, nurse)
    await commit(message)
    const acknowledge = (by: string) =>
      postItem(id, by, {
        type: 'message.acknowledged',
        messageId: message.id,
        clientId: onceId('acknowledge', message.id),
        digest: digestOf('acknowledge'),
        body: null,
      })
    const results = await commit(acknowledge(physician), acknowledge(nurse))
    expect(results).toMatchObject([
      { verdict: 'accepted', seq: 2 },
      { verdict: 'accepted', seq: 3 },
    ])
    expect(await commit(acknowledge(physician))).toMatchObject([{ verdict: 'repeated', seq: 2 }])
    expect(onceId('acknowledge', message.id)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    expect(onceId('recall', message.id)).not.toBe(onceId('acknowledge', message.id))
  })
})

describe('what is refused', () => {
  it('R-37 a channel of another tenant, one that is not there, one that is archived', async () => {
    const stranger = await seedTenant(database, store.keys)
    const theirs = (await stranger.addChannel()).id
    const archived = await channel()
    await store.query('UPDATE channels SET archived_at = now() WHERE id = $1', [archived])
    const items = [theirs, randomUUID(), archived].map((id) => postItem(id, nurse))
    expect(await commit(...items)).toEqual(items.map(() => ({ verdict: 'no-channel' })))
    expect(await database.readEvents(stranger.tenantId, theirs, 0, 10)).toEqual([])
  })

  it('a message that is none, is of another channel, or is no message but an event', async () => {
    const [here, there] = [await channel(), await channel()]
    const [mine, foreign] = [postItem(here, nurse), postItem(there, nurse)]
    const recall = postItem(here, nurse, { type: 'message.recalled', messageId: mine.id, body: null })
    expect(await commit(mine, foreign)).toMatchObject([{ seq: 1 }, { seq: 1 }])
    expect(await commit(recall)).toMatchObject([{ verdict: 'accepted', seq: 2 }])
    const about = (messageId: string) => postItem(here, nurse, { type: 'message.corrected', messageId })
    expect(await commit(about(randomUUID()), about(foreign.id), about(recall.id), about(mine.id))).toMatchObject([
      { verdict: 'no-message' },
      { verdict: 'no-message' },
      { verdict: 'no-message' },
      { verdict: 'accepted', seq: 3 },
    ])
  })

  it('one bad row fails alone, and its neighbours keep their order', async () => {
    const id = await channel()
    const errors: unknown[] = []
    const watched = await store.open({ report: (error) => errors.push(error) })
    const bad = { ...postItem(id, nurse), id: 'not-a-uuid' }
    const taken = postItem(id, nurse)
    await commit(taken)
    // The same row id under another client id: only the database's unique key can tell.
    const doubled = { ...postItem(id, nurse), id: taken.id }
    const good = [postItem(id, nurse), postItem(id, nurse)]
    const results = await watched.commitBatch(tenant.tenantId, [good[0]!, bad, doubled, good[1]!])
    expect(results).toMatchObject([
      { verdict: 'accepted', id: good[0]!.id, seq: 2 },
      { verdict: 'rejected' },
      { verdict: 'rejected' },
      { verdict: 'accepted', id: good[1]!.id, seq: 3 },
    ])
    expect(errors).toHaveLength(2)
    expect(await brokenWriters(store)).toEqual([])
  })
})

describe('audit', () => {
  it('R-71 each item leaves exactly one event, whatever became of it', async () => {
    const id = await channel()
    const first = postItem(id, nurse)
    await commit(first)
    expect(await auditOf(first.id)).toMatchObject([{ action: 'message.post', outcome: 'allowed', reason: 'member' }])

    const nowhere = postItem(randomUUID(), nurse)
    const conflict = { ...first, id: randomUUID(), digest: digestOf('other') }
    conflict.audit = { ...first.audit, message: auditId(conflict.id) }
    await commit({ ...first, id: randomUUID() }, conflict, nowhere)
    expect(await auditOf(first.id)).toMatchObject([{ outcome: 'allowed' }, { outcome: 'repeated', seq: 1 }])
    expect(await auditOf(conflict.id)).toMatchObject([{ outcome: 'refused', reason: 'conflict' }])
    expect(await auditOf(nowhere.id)).toMatchObject([{ outcome: 'refused', reason: 'not-found' }])
  })

  it('R-71 an event that cannot be encoded takes its message with it', async () => {
    const id = await channel()
    const item = postItem(id, nurse)
    const results = await commit({ ...item, audit: { ...item.audit, reason: 'free text' as never } })
    expect(results).toEqual([{ verdict: 'rejected' }])
    expect(await database.readHeads(tenant.tenantId, [id])).toEqual(new Map([[id, 0]]))
  })

  it('the row’s time is the event’s, and the message’s', async () => {
    const item = postItem(await channel(), nurse)
    const [result] = await commit(item)
    const row = (await auditRows(store, tenant.tenantId)).find(({ event }) => event.message === item.id)
    expect(row?.at.toISOString()).toBe(row?.event.at)
    expect(result).toMatchObject({ at: row?.at.getTime() })
  })
})

describe('receipts', () => {
  const stored = async (id: string) => (await database.readReceipts(tenant.tenantId, id))[0]

  it('R-44 only move forward, no further than the head, and reading is receiving', async () => {
    const id = await channel()
    await commit(...Array.from({ length: 5 }, () => postItem(id, nurse)))
    expect(await commit(receiptItem(id, physician, 3, 0))).toEqual([{ verdict: 'moved', delivered: 3, read: 0 }])
    expect(await stored(id)).toMatchObject({ delivered: 3, read: 0, readAt: null })
    expect(await commit(receiptItem(id, physician, 2, 0))).toMatchObject([{ verdict: 'same' }])
    expect(await commit(receiptItem(id, physician, 0, 4))).toEqual([{ verdict: 'read', delivered: 4, read: 4 }])
    expect(await commit(receiptItem(id, physician, 99, 2))).toEqual([{ verdict: 'moved', delivered: 5, read: 4 }])
    expect(await commit(receiptItem(id, physician, 99, 99))).toEqual([{ verdict: 'read', delivered: 5, read: 5 }])
    expect(await stored(id)).toMatchObject({ userId: physician, delivered: 5, read: 5, readAt: expect.any(Number) })
  })

  it('go with posts, in one batch; those of one person are one', async () => {
    const [a, b] = [await channel(), await channel()]
    await commit(postItem(a, nurse), postItem(a, nurse), postItem(b, nurse))
    const post = postItem(a, nurse)
    const results = await commit(
      receiptItem(a, physician, 1, 1),
      post,
      receiptItem(a, physician, 2, 0),
      receiptItem(b, physician, 1, 0),
      receiptItem(randomUUID(), physician, 1, 1),
    )
    expect(results).toMatchObject([
      { verdict: 'read', delivered: 2, read: 1 },
      { verdict: 'accepted', seq: 3 },
      { verdict: 'read', delivered: 2, read: 1 },
      { verdict: 'moved', delivered: 1, read: 0 },
      { verdict: 'no-channel' },
    ])
    expect(await brokenWriters(store)).toEqual([])
  })

  it('R-70 reading leaves an event, receiving does not', async () => {
    const id = await channel()
    await commit(postItem(id, nurse), receiptItem(id, nurse, 1, 1))
    await commit(receiptItem(id, physician, 1, 0))
    await commit(receiptItem(id, physician, 1, 1))
    await commit(receiptItem(id, physician, 1, 1))
    const marks = (await auditRows(store, tenant.tenantId))
      .map(({ event }) => event)
      .filter((event) => event.channel === id)
    expect(marks.map((event) => `${event.action} ${event.actor} ${event.seq}`).sort()).toEqual(
      [`receipt.mark ${nurse} 1`, `receipt.mark ${physician} 1`].sort(),
    )
  })
})
