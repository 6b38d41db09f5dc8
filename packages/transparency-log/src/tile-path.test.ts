import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { indexPath, parseIndexPath, parseTilePath, TILE_WIDTH, tilePath, tileWidth } from './tile-path.ts'

describe('C2SP tlog-tiles paths', () => {
  it.each([
    [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
    [{ level: 0, index: 1, width: 5 }, 'tile/0/001.p/5'],
    [{ level: 0, index: 1_234_067, width: 256 }, 'tile/0/x001/x234/067'],
    [{ level: 5, index: 123_456_078, width: 2 }, 'tile/5/x123/x456/078.p/2'],
    [{ level: 63, index: 999, width: 255 }, 'tile/63/999.p/255'],
    [{ level: 'entries', index: 3_057_500, width: 256 }, 'tile/entries/x003/x057/500'],
    [{ level: 'entries', index: 1000, width: 1 }, 'tile/entries/x001/000.p/1'],
  ] as const)('%o is %s', (address, path) => {
    expect(tilePath(address)).toBe(path)
    expect(parseTilePath(path)).toEqual(address)
  })

  it.each([
    'tile/64/000',
    'tile/00/000',
    'tile/-1/000',
    'tile/0/0',
    'tile/0/1234',
    'tile/0/001/234',
    'tile/0/x000/001',
    'tile/0/x001',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/000.p/',
    'tile/0/000.p/5/',
    'tile/data/000',
    '/tile/0/000',
    'tile/0/../000',
    'tile/0/x999/x999/x999/x999/x999/999',
    'tile/0/٠٠٠',
    '',
  ])('%j names no tile', (path) => {
    expect(parseTilePath(path)).toBeUndefined()
  })

  it('every address has one path, which parses back', () => {
    const level = fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const))
    const address = fc.record({
      level,
      index: fc.maxSafeNat(),
      width: fc.integer({ min: 1, max: TILE_WIDTH }),
    })
    fc.assert(
      fc.property(address, (one) => {
        expect(parseTilePath(tilePath(one))).toEqual(one)
        expect(parseIndexPath(indexPath(one.index))).toBe(one.index)
      }),
    )
  })

  it('what parses at all is spelt as it would be written', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^tile\/(entries|\d{1,2})\/(x\d{3}\/){0,3}\d{3}(\.p\/\d{1,3})?$/), (path) => {
        const address = parseTilePath(path)
        expect(address === undefined ? path : tilePath(address)).toBe(path)
      }),
    )
  })

  it('bounds are refused', () => {
    expect(() => tilePath({ level: 64, index: 0, width: 1 })).toThrow(RangeError)
    expect(() => tilePath({ level: 0, index: -1, width: 1 })).toThrow(RangeError)
    expect(() => tilePath({ level: 0, index: 0, width: 0 })).toThrow(RangeError)
    expect(() => tilePath({ level: 0, index: 0, width: 257 })).toThrow(RangeError)
    expect(() => indexPath(2 ** 53)).toThrow(RangeError)
  })
})

describe('tile widths (C2SP tlog-tiles, "Partial Tiles")', () => {
  it('a tree of 70,000 leaves', () => {
    expect(tileWidth(0, 272, 70_000)).toBe(256)
    expect(tileWidth(0, 273, 70_000)).toBe(112)
    expect(tileWidth(0, 274, 70_000)).toBe(0)
    expect(tileWidth(1, 0, 70_000)).toBe(256)
    expect(tileWidth(1, 1, 70_000)).toBe(17)
    expect(tileWidth(2, 0, 70_000)).toBe(1)
    expect(tileWidth(3, 0, 70_000)).toBe(0)
    expect(tileWidth('entries', 273, 70_000)).toBe(112)
  })

  it('a tree of 256 leaves', () => {
    expect([tileWidth(0, 0, 256), tileWidth(0, 1, 256), tileWidth(1, 0, 256)]).toEqual([256, 0, 1])
  })
})
