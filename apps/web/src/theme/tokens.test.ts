import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const css = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8')
type Scheme = 'light' | 'dark'

/** The colour of a token in a scheme, as red, green and blue from 0 to 1. */
function colour(token: string, scheme: Scheme): readonly number[] {
  const value = new RegExp(`--${token}: (?:light-dark\\((#\\w{6}), (#\\w{6})\\)|(#\\w{6}));`).exec(css)
  const hex = value?.[3] ?? value?.[scheme === 'light' ? 1 : 2]
  if (hex === undefined) throw new Error(`no token ${token}`)
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
}

/** Relative luminance (WCAG 2.2). */
function luminance(rgb: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = rgb.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  )
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(a: string, b: string, scheme: Scheme): number {
  const [lighter = 0, darker = 0] = [a, b].map((token) => luminance(colour(token, scheme))).toSorted((x, y) => y - x)
  return (lighter + 0.05) / (darker + 0.05)
}

const SURFACES = ['desk', 'sheet', 'raised', 'sunken', 'hover', 'selected']
const TEXT: readonly [ink: string, on: readonly string[]][] = [
  ['ink', [...SURFACES, 'accent-soft', 'stat-soft', 'urgent-soft', 'warn-soft']],
  ['ink-soft', [...SURFACES, 'accent-soft', 'stat-soft', 'urgent-soft']],
  ['ink-faint', ['desk', 'sheet', 'raised', 'sunken', 'hover']],
  ['accent', ['desk', 'sheet', 'raised', 'sunken', 'accent-soft']],
  ['on-accent', ['accent', 'accent-strong']],
  ['stat', ['sheet', 'raised', 'sunken', 'selected', 'hover', 'stat-soft']],
  ['on-stat', ['stat-fill']],
  ['urgent', ['sheet', 'raised', 'sunken', 'selected', 'hover', 'urgent-soft']],
  ['on-urgent', ['urgent-fill']],
  ['ok', ['sheet', 'raised', 'sunken', 'hover', 'stat-soft', 'urgent-soft']],
  ['on-demo', ['demo']],
]
/** Edges of controls and signs that mean something. */
const EDGES: readonly [edge: string, on: readonly string[]][] = [
  ['edge', ['desk', 'sheet', 'raised', 'sunken']],
  ['focus', [...SURFACES, 'stat-soft', 'urgent-soft']],
]

describe.each(['light', 'dark'] as const)('R-86 in the %s scheme', (scheme) => {
  test.each(TEXT.flatMap(([ink, on]) => on.map((surface) => [ink, surface] as const)))(
    '%s can be read on %s (WCAG 1.4.3)',
    (ink, surface) => {
      expect(contrast(ink, surface, scheme)).toBeGreaterThanOrEqual(4.5)
    },
  )

  test.each(EDGES.flatMap(([edge, on]) => on.map((surface) => [edge, surface] as const)))(
    '%s is seen on %s (WCAG 1.4.11)',
    (edge, surface) => {
      expect(contrast(edge, surface, scheme)).toBeGreaterThanOrEqual(3)
    },
  )
})
