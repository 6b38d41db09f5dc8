import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { directoryStore } from './directory-store.ts'
import { headFile } from './head-file.ts'
import { memoryStore } from './memory-store.ts'
import { type ReadableStore, StoreConflictError, type TileStore } from './tile-store.ts'

const text = (value: string): Uint8Array => Buffer.from(value)
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'wardline-store-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe.each<[string, () => TileStore & ReadableStore]>([
  ['in memory', () => memoryStore()],
  ['in a folder', () => directoryStore(path.join(folder, 'log'))],
])('a store %s', (_, make) => {
  it('gives back what was written, and undefined for the rest', async () => {
    const store = make()
    expect(await store.read('tile/0/000')).toBeUndefined()
    await store.write('tile/0/000.p/7', text('seven'))
    expect(Buffer.from((await store.read('tile/0/000.p/7')) ?? '').toString()).toBe('seven')
    expect(await store.read('tile/0/000.p/7/8')).toBeUndefined()
  })

  it('takes the same bytes again and refuses others', async () => {
    const store = make()
    await store.write('tile/0/x001/000', text('one'))
    await store.write('tile/0/x001/000', text('one'))
    await expect(store.write('tile/0/x001/000', text('two'))).rejects.toThrow(StoreConflictError)
    expect(Buffer.from((await store.read('tile/0/x001/000')) ?? '').toString()).toBe('one')
  })

  it('replaces the checkpoint alone', async () => {
    const store = make()
    await store.write('checkpoint', text('a'))
    await store.write('checkpoint', text('b'))
    expect(Buffer.from((await store.read('checkpoint')) ?? '').toString()).toBe('b')
  })

  it('drops partial tiles only once the full one is there', async () => {
    const store = make()
    await store.write('tile/0/000.p/7', text('seven'))
    await store.write('tile/0/001.p/7', text('other'))
    await store.removePartials?.('tile/0/000')
    expect(await store.read('tile/0/000.p/7')).toBeDefined()
    await store.write('tile/0/000', text('full'))
    await store.removePartials?.('tile/0/000')
    expect(await store.read('tile/0/000.p/7')).toBeUndefined()
    expect(await store.read('tile/0/000')).toBeDefined()
    expect(await store.read('tile/0/001.p/7')).toBeDefined()
  })

  it('lists a folder, deep', async () => {
    const store = make()
    await store.write('checkpoints/000', text('0'))
    await store.write('checkpoints/x001/234', text('1'))
    await store.write('checkpoint', text('c'))
    const names = []
    for await (const name of store.list('checkpoints')) names.push(name)
    expect(names.sort()).toEqual(['checkpoints/000', 'checkpoints/x001/234'])
    expect(await store.list('nothing')[Symbol.asyncIterator]().next()).toMatchObject({ done: true })
  })

  it.each([
    '../escape',
    '/etc/passwd',
    'tile/../../x',
    'tile//0',
    'tile/0/.hidden',
    'TILE',
    '',
    'a\0b',
    'x'.repeat(129),
  ])('refuses the path %j', async (name) => {
    await expect(make().read(name)).rejects.toThrow(RangeError)
    await expect(make().write(name, text('x'))).rejects.toThrow(RangeError)
  })
})

describe('a store in a folder', () => {
  it('lets one of two different writers at once through, whole', async () => {
    const outcomes = await Promise.allSettled(
      ['a', 'b', 'c', 'd'].map((who) => directoryStore(folder).write('tile/0/000', text(who.repeat(8192)))),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const written = await readFile(path.join(folder, 'tile/0/000'), 'utf8')
    expect(written).toMatch(/^(a|b|c|d)\1{8191}$/)
  })

  it('leaves no staged file behind, and tiles read-only', async () => {
    const store = directoryStore(folder)
    await store.write('tile/0/000', text('one'))
    await store.write('checkpoint', text('one'))
    await store.write('tile/0/000', text('two')).catch(() => undefined)
    expect(await readdir(path.join(folder, '.staging'))).toEqual([])
    expect((await stat(path.join(folder, 'tile/0/000'))).mode & 0o777).toBe(0o444)
  })

  it('keeps partial tiles when told so', () => {
    expect(directoryStore(folder, { keepPartials: true })).not.toHaveProperty('removePartials')
  })
})

describe('the head a sequencer remembers', () => {
  it('comes back as it was saved, the last one', async () => {
    const file = headFile(path.join(folder, 'state', 'head.json'))
    expect(await file.load()).toBeUndefined()
    await file.save({ size: 7, root: new Uint8Array(32).fill(1) })
    await file.save({ size: Number.MAX_SAFE_INTEGER, root: new Uint8Array(32).fill(2) })
    expect(await file.load()).toEqual({ size: Number.MAX_SAFE_INTEGER, root: new Uint8Array(32).fill(2) })
    expect(await readdir(path.join(folder, 'state'))).toEqual(['head.json'])
    expect((await stat(path.join(folder, 'state', 'head.json'))).mode & 0o777).toBe(0o600)
  })

  it.each(['', 'null', '{}', '{"root":"AAAA","size":"7"}', '{"root":"', '{"root":7,"size":7}'])(
    'a file with %j is refused, not taken for none',
    async (content) => {
      await writeFile(path.join(folder, 'head.json'), content)
      await expect(headFile(path.join(folder, 'head.json')).load()).rejects.toThrow(/JSON|head of a log/)
    },
  )
})
