import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { naiveTree, someLeaves } from '../test/naive-tree.ts'
import { type Checkpoint, formatCheckpoint, parseCheckpoint, type TreeHead } from './checkpoint.ts'
import { decodeBundle } from './entry-bundle.ts'
import { COSIGNATURE } from './key-text.ts'
import { type LogOptions, openLog, type TransparencyLog } from './log.ts'
import { InconsistentLogError } from './log-recovery.ts'
import { memoryStore } from './memory-store.ts'
import { parseNote } from './note.ts'
import { generateNoteKey, parseSignerKey } from './note-keys.ts'
import { openNote, signNote } from './signed-note.ts'
import { parseTilePath, TILE_WIDTH, tilePath, tileWidth } from './tile-path.ts'
import { StoreConflictError, type TileStore } from './tile-store.ts'

const ORIGIN = 'wardline.example/audit'
const signer = parseSignerKey(generateNoteKey(ORIGIN).skey)
const options: LogOptions = { origin: ORIGIN, signers: [signer] }
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

let store = memoryStore()
beforeEach(() => {
  store = memoryStore()
})

function published(note: Uint8Array): Checkpoint {
  const opened = openNote(note, [signer.verifier])
  const checkpoint = opened.ok ? parseCheckpoint(opened.text) : undefined
  if (checkpoint === undefined) throw new Error('not a checkpoint of this log')
  return checkpoint
}

/** A head in a form whose comparison does not care which kind of byte array it holds. */
function plain({ size, root }: TreeHead): { size: number; root: string } {
  return { size, root: hex(root) }
}

/** Appends `leaves` in batches of the given sizes, publishing after each. */
async function fill(log: TransparencyLog, leaves: readonly Uint8Array[], batch: number): Promise<void> {
  for (let at = 0; at < leaves.length; at += batch) {
    await log.append(leaves.slice(at, at + batch))
    await log.publish()
  }
}

describe('writing a log', () => {
  it('each checkpoint has the root of the definition, and its tiles are there', async () => {
    const leaves = someLeaves(1500)
    const naive = naiveTree(leaves)
    const log = await openLog(store, options)
    for (const size of [0, 1, 2, 255, 256, 257, 511, 512, 700, 1500]) {
      await log.append(leaves.slice(log.head.size, size))
      expect(plain(published(await log.publish()))).toEqual(plain({ size, root: naive.root(size) }))
      for (const level of [0, 1, 2, 'entries'] as const) {
        for (let index = 0; tileWidth(level, index, size) > 0; index++) {
          expect(store.files.has(tilePath({ level, index, width: tileWidth(level, index, size) }))).toBe(true)
        }
      }
    }
  })

  it('every tile and bundle holds what the definition says, at three levels', async () => {
    const leaves = someLeaves(66_000)
    const naive = naiveTree(leaves)
    const log = await openLog(store, options)
    await fill(log, leaves, 22_000)
    for (const [path, bytes] of store.files) {
      const address = parseTilePath(path)
      if (address === undefined) continue
      const { level, index, width } = address
      const first = index * TILE_WIDTH
      const expected: Uint8Array[] =
        level === 'entries'
          ? leaves.slice(first, first + width)
          : Array.from({ length: width }, (_, i) => naive.node(8 * level, first + i))
      const actual = level === 'entries' ? (decodeBundle(bytes) ?? []) : [bytes]
      expect(hex(Buffer.concat(actual))).toBe(hex(Buffer.concat(expected)))
    }
    expect([...store.files.keys()].filter((path) => path.startsWith('tile/2/'))).toEqual(['tile/2/000.p/1'])
  })

  it('goes on where it stopped', async () => {
    const leaves = someLeaves(600)
    for (const [from, to] of [
      [0, 100],
      [100, 256],
      [256, 300],
      [300, 600],
    ] as const) {
      const log = await openLog(store, options)
      expect(log.head.size).toBe(from)
      await log.append(leaves.slice(from, to))
      await log.publish()
    }
    const last = published(store.files.get('checkpoint') as Uint8Array)
    expect(plain(last)).toEqual(plain({ size: 600, root: naiveTree(leaves).root(600) }))
  })

  it('drops partial tiles when told to, never the last ones', async () => {
    const log = await openLog(store, options)
    await fill(log, someLeaves(530), 53)
    expect([...store.files.keys()].some((path) => path.startsWith('tile/0/000.p/'))).toBe(true)
    await log.tidy()
    const partial = [...store.files.keys()].filter((path) => path.includes('.p/') && !path.startsWith('tile/1'))
    expect(partial.sort()).toEqual(['tile/0/002.p/18', 'tile/entries/002.p/18'])
    expect((await openLog(store, options)).head.size).toBe(530)
  })

  it('refuses a leaf that is too long, and goes on', async () => {
    const log = await openLog(store, options)
    await expect(log.append([new Uint8Array(65_536)])).rejects.toThrow(RangeError)
    expect((await log.append([new Uint8Array(65_535)])).size).toBe(1)
  })

  it('calls made at once take turns', async () => {
    const log = await openLog(store, options)
    const leaves = someLeaves(300)
    const results = await Promise.all(leaves.map((leaf) => log.append([leaf])))
    expect(results.map(({ size }) => size)).toEqual(leaves.map((_, i) => i + 1))
    expect(hex(log.head.root)).toBe(hex(naiveTree(leaves).root(300)))
  })

  it('publishes the same checkpoint while nothing is new', async () => {
    const log = await openLog(store, options)
    await log.append(someLeaves(3))
    expect(await log.publish()).toBe(await log.publish())
  })
})

describe('cosignatures and kept checkpoints', () => {
  const witness = parseSignerKey(generateNoteKey('witness.example', COSIGNATURE).skey)
  const cosign = (note: Uint8Array, at: number) => {
    const { signatures } = parseNote(signNote(parseNote(note)?.text ?? '', [witness], at)) ?? { signatures: [] }
    return signatures
  }

  it('a cosignature stands beside the log’s own, and a later one replaces it', async () => {
    const log = await openLog(store, options)
    await log.append(someLeaves(3))
    const note = await log.publish()
    await log.addCosignatures(note, cosign(note, 1000))
    await log.addCosignatures(note, cosign(note, 2000))
    const twice = store.files.get('checkpoint') ?? new Uint8Array(0)
    expect(parseNote(twice)?.signatures).toHaveLength(2)
    expect(openNote(twice, [signer.verifier, witness.verifier])).toMatchObject({
      ok: true,
      by: [signer.verifier, witness.verifier],
    })
    expect(store.files.get('witnessed')).toEqual(twice)
    expect((await openLog(store, options)).published?.size).toBe(3)
  })

  it('a cosignature that comes after the next checkpoint is kept with its own', async () => {
    const log = await openLog(store, options)
    await log.append(someLeaves(3))
    const note = await log.publish()
    await log.append(someLeaves(1))
    const next = await log.publish()
    await log.addCosignatures(note, cosign(note, 1000))
    expect(store.files.get('checkpoint')).toEqual(Uint8Array.from(next))
    expect(parseNote(store.files.get('witnessed') ?? new Uint8Array(0))?.signatures).toHaveLength(2)
  })

  it('checkpoints are kept by size, once', async () => {
    const log = await openLog(store, options)
    await fill(log, someLeaves(1234), 1234)
    const note = await log.publish()
    await log.keep()
    await log.addCosignatures(note, cosign(note, 1000))
    await log.keep()
    expect(store.files.get('checkpoints/x001/234')).toEqual(Uint8Array.from(note))
    store.files.set('checkpoints/x001/234', signNote('another\n', [signer], 0))
    await expect(log.keep()).rejects.toThrow(InconsistentLogError)
  })

  it('there is nothing to keep or cosign before the first checkpoint', async () => {
    await expect((await openLog(store, options)).keep()).rejects.toThrow(RangeError)
    await expect((await openLog(store, options)).addCosignatures(new Uint8Array(0), [])).rejects.toThrow(RangeError)
  })
})

describe('a log that contradicts itself is not opened', () => {
  async function written(size = 600): Promise<TreeHead> {
    const log = await openLog(store, options)
    await fill(log, someLeaves(size), 300)
    return log.head
  }
  const damage = (path: string) => {
    const bytes = store.files.get(path) as Uint8Array
    bytes[5] = (bytes[5] as number) ^ 1
  }

  it.each(['tile/0/001', 'tile/0/002.p/88', 'tile/1/000.p/2', 'tile/entries/002.p/88'])(
    '%s altered or gone',
    async (path) => {
      await written()
      const whole = store.files.get(path) as Uint8Array
      // A full tile below is not read on opening: its hash in the tile above is what the root is made of.
      const needed = path !== 'tile/0/001'
      for (const how of ['altered', 'gone'] as const) {
        store.files.set(path, Uint8Array.from(whole))
        if (how === 'altered') damage(path)
        else store.files.delete(path)
        const outcome = await openLog(store, options).then(
          () => 'opened',
          (error: unknown) => (error as Error).name,
        )
        expect(outcome).toBe(needed ? 'InconsistentLogError' : 'opened')
      }
    },
  )

  it('a checkpoint by an unknown key, of another log, or damaged', async () => {
    await written()
    const other = parseSignerKey(generateNoteKey(ORIGIN).skey)
    await expect(openLog(store, { ...options, signers: [other] })).rejects.toThrow(InconsistentLogError)
    await expect(openLog(store, { ...options, origin: 'other' })).rejects.toThrow(InconsistentLogError)
    expect((await openLog(store, { origin: ORIGIN, signers: [other], formerKeys: [signer.verifier] })).head.size).toBe(
      600,
    )
    damage('checkpoint')
    await expect(openLog(store, options)).rejects.toThrow(InconsistentLogError)
  })

  it('a store put back to yesterday: the sequencer remembers more', async () => {
    await written(300)
    const yesterday = new Map(store.files)
    const log = await openLog(store, options)
    await fill(log, someLeaves(300, 'later'), 300)
    const lastHead = log.head
    store.files.clear()
    for (const [path, bytes] of yesterday) store.files.set(path, bytes)
    await expect(openLog(store, { ...options, lastHead })).rejects.toThrow(InconsistentLogError)
  })

  it('a rewritten history of the same or a greater size', async () => {
    const lastHead = await written(300)
    store.files.clear()
    const log = await openLog(store, options)
    await fill(log, someLeaves(500, 'rewritten'), 500)
    await expect(openLog(store, { ...options, lastHead })).rejects.toThrow(InconsistentLogError)
  })

  it('a checkpoint behind what is remembered is caught up when the tiles are there', async () => {
    const log = await openLog(store, options)
    const leaves = someLeaves(600)
    await log.append(leaves.slice(0, 300))
    await log.publish()
    const lastHead = await log.append(leaves.slice(300))
    const again = await openLog(store, { ...options, lastHead })
    expect(again.head).toEqual(lastHead)
    expect(plain(published(await again.publish()))).toEqual(plain(lastHead))
  })

  it('a checkpoint that disappeared', async () => {
    const lastHead = await written(300)
    store.files.delete('checkpoint')
    expect((await openLog(store, { ...options, lastHead })).head).toEqual(lastHead)
    store.files.clear()
    await expect(openLog(store, { ...options, lastHead })).rejects.toThrow(InconsistentLogError)
  })

  it('another writer’s tiles in the way', async () => {
    const [one, two] = [await openLog(store, options), await openLog(store, options)]
    await one.append(someLeaves(3, 'one'))
    await expect(two.append(someLeaves(3, 'two'))).rejects.toThrow(StoreConflictError)
    await expect(two.append(someLeaves(1))).rejects.toThrow(/open the log again/)
  })
})

describe('a crash at any write', () => {
  /** A store that fails from the n-th write on, that one being done or not. */
  function failing(inner: TileStore, after: number, done: boolean): TileStore {
    let left = after
    return {
      read: (path) => inner.read(path),
      async write(path, bytes) {
        left--
        if (left > 0 || (left === 0 && done)) await inner.write(path, bytes)
        if (left <= 0) throw new Error('crash')
      },
    }
  }

  it('loses nothing that was published, and signs nothing that contradicts it', async () => {
    const leaves = someLeaves(900)
    const naive = naiveTree(leaves)
    const batches = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 6 })
    const crashes = fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.boolean()), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(batches, crashes, async (sizes, points) => {
        const inner = memoryStore()
        let remembered: TreeHead | undefined
        const remember = async (head: TreeHead): Promise<void> => {
          remembered = head
        }
        const signed: TreeHead[] = []
        for (const point of [...points, undefined]) {
          const used = point === undefined ? inner : failing(inner, ...point)
          const run = async (): Promise<void> => {
            const log = await openLog(used, { ...options, remember, ...(remembered && { lastHead: remembered }) })
            const ahead = []
            for await (const entry of log.ahead()) ahead.push(entry)
            expect(ahead.map(hex)).toEqual(leaves.slice(log.head.size, log.aheadSize).map(hex))
            for (const size of sizes) {
              await log.append(leaves.slice(log.head.size, log.head.size + size))
              signed.push(published(await log.publish()))
            }
          }
          const failure = await run().then(
            () => undefined,
            (error: unknown) => error,
          )
          expect(failure).toEqual(failure === undefined ? undefined : new Error('crash'))
        }
        const final = await openLog(inner, { ...options, ...(remembered && { lastHead: remembered }) })
        for (const head of signed) {
          expect(head.size).toBeLessThanOrEqual(final.head.size)
          expect(hex(head.root)).toBe(hex(naive.root(head.size)))
        }
        expect(hex(final.head.root)).toBe(hex(naive.root(final.head.size)))
      }),
      { numRuns: 100 },
    )
  }, 60_000)

  it('what lies ahead has to be appended first', async () => {
    const log = await openLog(failing(store, 2, true), options)
    await expect(log.append(someLeaves(300))).rejects.toThrow('crash')
    const again = await openLog(store, options)
    expect(again.aheadSize).toBe(256)
    await expect(again.append(someLeaves(1, 'other'))).rejects.toThrow(InconsistentLogError)
    const third = await openLog(store, options)
    expect((await third.append(someLeaves(300))).size).toBe(300)
  })
})

describe('the order of a publication', () => {
  it('tiles, then memory, then the checkpoint', async () => {
    const order: string[] = []
    const log = await openLog(
      {
        read: (path) => store.read(path),
        async write(path, bytes) {
          order.push(path)
          await store.write(path, bytes)
        },
      },
      { ...options, remember: async ({ size }) => void order.push(`remember ${size}`) },
    )
    await log.append(someLeaves(257))
    await log.publish()
    expect(order.slice(0, 2).sort()).toEqual(['tile/0/000', 'tile/entries/000'])
    expect(order.slice(-2)).toEqual(['remember 257', 'checkpoint'])
    expect(order.indexOf('checkpoint')).toBe(order.length - 1)
  })

  it('a checkpoint is a checkpoint', async () => {
    const root = naiveTree([]).root(0)
    const log = await openLog(store, options)
    expect(parseNote(await log.publish())?.text).toBe(
      formatCheckpoint({ origin: ORIGIN, size: 0, root, extensions: [] }),
    )
  })
})
