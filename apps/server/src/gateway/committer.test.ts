import { describe, expect, it } from 'vitest'
import type { CommitItem, CommitResult } from '../storage/channel-event.ts'
import { COMMIT_BOUNDS, type CommitRequest, Committer, Committers } from './committer.ts'

const item = (name: string) => ({ kind: 'event', id: name }) as CommitItem

function request(name: string, log: string[], bytes = 10): CommitRequest {
  return {
    item: item(name),
    bytes,
    settled: (result) => log.push(`${name} ${result.verdict}`),
    failed: () => log.push(`${name} failed`),
  }
}

/** A database that answers when it is told to. */
function slowDatabase() {
  const batches: { names: string[]; answer: () => void; fail: () => void }[] = []
  const commitBatch = (items: readonly CommitItem[]) =>
    new Promise<readonly CommitResult[]>((resolve, reject) => {
      batches.push({
        names: items.map((each) => ('id' in each ? each.id : '')),
        answer: () => resolve(items.map(() => ({ verdict: 'conflict' }) as const)),
        fail: () => reject(new Error('away')),
      })
    })
  return { batches, commitBatch }
}

const deaf = { onBatch: () => undefined, onFault: () => undefined }

/** A turn of the loop, with what was put off to its end. */
async function turn(): Promise<void> {
  for (let i = 0; i < 2; i += 1) await new Promise<void>((resolve) => setImmediate(resolve))
}

describe('committer', () => {
  it('commits what came in one turn together, alone if it came alone, without a timer', async () => {
    const { batches, commitBatch } = slowDatabase()
    const committer = new Committer(commitBatch, deaf)
    committer.submit(request('a', []))
    await turn()
    committer.submit(request('b', []))
    committer.submit(request('c', []))
    await turn()
    expect(batches.map(({ names }) => names)).toEqual([['a']])
    batches[0]?.answer()
    await turn()
    expect(batches.map(({ names }) => names)).toEqual([['a'], ['b', 'c']])
  })

  it('takes along what is read in the turn in which the batch before was through', async () => {
    const { batches, commitBatch } = slowDatabase()
    const committer = new Committer(commitBatch, deaf)
    const late = () => committer.submit(request('c', []))
    committer.submit({ ...request('a', []), settled: () => process.nextTick(late) })
    await turn()
    committer.submit(request('b', []))
    batches[0]?.answer()
    await turn()
    expect(batches.map(({ names }) => names)).toEqual([['a'], ['b', 'c']])
  })

  it('[P7] has one transaction under way and answers in the order of submission', async () => {
    const { batches, commitBatch } = slowDatabase()
    const log: string[] = []
    const committer = new Committer(commitBatch, {
      ...deaf,
      onBatch: (requests) => log.push(`batch of ${requests.length}`),
    })
    for (const name of ['a', 'b']) committer.submit(request(name, log))
    await turn()
    committer.submit(request('c', log))
    expect(batches).toHaveLength(1)
    batches[0]?.answer()
    await turn()
    batches[1]?.answer()
    await committer.drained()
    expect(log).toEqual(['a conflict', 'b conflict', 'batch of 2', 'c conflict', 'batch of 1'])
    expect(committer.idle).toBe(true)
  })

  it('fails a batch whose fate is unknown, and goes on with the next', async () => {
    const { batches, commitBatch } = slowDatabase()
    const log: string[] = []
    const committer = new Committer(commitBatch, deaf)
    committer.submit(request('a', log))
    await turn()
    committer.submit(request('b', log))
    batches[0]?.fail()
    await turn()
    batches[1]?.answer()
    await committer.drained()
    expect(log).toEqual(['a failed', 'b conflict'])
  })

  it('one who cannot take the answer does not keep it from the others', async () => {
    const { batches, commitBatch } = slowDatabase()
    const log: string[] = []
    const faults: unknown[] = []
    const committer = new Committer(commitBatch, { ...deaf, onFault: (error) => faults.push(error) })
    const broken = new Error('broken')
    committer.submit({
      ...request('a', log),
      settled: () => {
        throw broken
      },
    })
    committer.submit(request('b', log))
    await turn()
    batches[0]?.answer()
    await committer.drained()
    expect(log).toEqual(['b conflict'])
    expect(faults).toEqual([broken])
  })

  it('[P8] bounds a batch and what waits, by number and by bytes', async () => {
    const { batches, commitBatch } = slowDatabase()
    const bounds = { ...COMMIT_BOUNDS, batchItems: 3, batchBytes: 100, queueItems: 5, queueBytes: 1_000 }
    const committer = new Committer(commitBatch, deaf, bounds)
    committer.submit(request('large', [], 900))
    committer.submit(request('a', [], 40))
    committer.submit(request('b', [], 40))
    expect(() => committer.submit(request('too much', [], 21))).toThrow(
      expect.objectContaining({ code: 'unavailable', reason: 'overloaded' }),
    )
    committer.submit(request('c', [], 10))
    committer.submit(request('d', [], 10))
    expect(() => committer.submit(request('too many', [], 0))).toThrow(expect.objectContaining({ code: 'unavailable' }))
    for (let batch = 0; batch < 3; batch += 1) {
      await turn()
      batches[batch]?.answer()
    }
    await committer.drained()
    expect(batches.map(({ names }) => names)).toEqual([['large'], ['a', 'b', 'c'], ['d']])
  })

  it('has one for each tenant', async () => {
    const { batches, commitBatch } = slowDatabase()
    const committers = new Committers(() => new Committer(commitBatch, deaf))
    expect(committers.of('a')).toBe(committers.of('a'))
    committers.of('a').submit(request('1', []))
    committers.of('b').submit(request('2', []))
    await turn()
    expect(batches).toHaveLength(2)
    const drained = committers.drained()
    for (const batch of batches) batch.answer()
    await drained
  })
})
