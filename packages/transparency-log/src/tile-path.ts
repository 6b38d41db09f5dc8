/** Where tiles and entry bundles live (C2SP tlog-tiles): `tile/<L>/<N>[.p/<W>]` and `tile/entries/<N>[.p/<W>]`. */

/** Hashes in a full tile, entries in a full bundle: tiles have height 8. */
export const TILE_WIDTH = 256

/** Levels that a tree of fewer than 2^53 leaves can have. The specification allows paths up to 63. */
const MAX_TILE_LEVEL = 63

/** A tile (`level` 0 … 63) or a bundle (`entries`); `width` 1 … 256, where less than 256 means partial. */
export type TileAddress = { readonly level: number | 'entries'; readonly index: number; readonly width: number }

/** The path of a tile, relative to the log's prefix. Throws RangeError on an address outside its bounds. */
export function tilePath({ level, index, width }: TileAddress): string {
  if (level !== 'entries' && !(Number.isInteger(level) && level >= 0 && level <= MAX_TILE_LEVEL)) {
    throw new RangeError(`no tile level ${level}`)
  }
  if (!(Number.isInteger(width) && width >= 1 && width <= TILE_WIDTH)) throw new RangeError(`no tile width ${width}`)
  return `tile/${level}/${indexPath(index)}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

/** A non-negative integer as path elements of three digits, all but the last begun with `x`: 1234067 is `x001/x234/067`. */
export function indexPath(index: number): string {
  if (!Number.isSafeInteger(index) || index < 0) throw new RangeError(`no index ${index}`)
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? []
  return groups.map((group, i) => (i === groups.length - 1 ? group : `x${group}`)).join('/')
}

const INDEX = String.raw`(?:x\d{3}/)*\d{3}`
const TILE_PATH = new RegExp(String.raw`^tile/(entries|0|[1-9]\d?)/(${INDEX})(?:\.p/([1-9]\d{0,2}))?$`)
const INDEX_PATH = new RegExp(`^${INDEX}$`)

/** The address a path names; `undefined` unless it is spelt exactly as {@link tilePath} spells it. */
export function parseTilePath(path: string): TileAddress | undefined {
  const match = TILE_PATH.exec(path)
  if (match === null) return undefined
  const [, level = '', digits = '', width] = match
  const index = parseIndexPath(digits)
  const address = {
    level: level === 'entries' ? level : Number(level),
    index: index ?? -1,
    width: width === undefined ? TILE_WIDTH : Number(width),
  } as const
  if (index === undefined || (width !== undefined && address.width >= TILE_WIDTH)) return undefined
  if (address.level !== 'entries' && address.level > MAX_TILE_LEVEL) return undefined
  return address
}

/** The number {@link indexPath} spells so; `undefined` for every other spelling. */
export function parseIndexPath(path: string): number | undefined {
  if (!INDEX_PATH.test(path)) return undefined
  const index = Number(path.replaceAll(/[x/]/g, ''))
  return Number.isSafeInteger(index) && indexPath(index) === path ? index : undefined
}

/** How many hashes tile `index` of `level` holds in a tree of `size` leaves: 0 (no such tile) … 256. */
export function tileWidth(level: number | 'entries', index: number, size: number): number {
  const nodes = Math.floor(size / TILE_WIDTH ** (level === 'entries' ? 0 : level))
  return Math.max(0, Math.min(TILE_WIDTH, nodes - index * TILE_WIDTH))
}
