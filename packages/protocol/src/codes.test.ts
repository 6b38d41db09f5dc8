import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { afterClose, CLOSE_CODES } from './close-codes.ts'
import { ERRORS } from './errors.ts'
import { CLIENT_FRAME_TYPES, serverFrame } from './frames.ts'
import { DEFAULT_LIMITS, DEFAULT_PRE_AUTH, limits, MAX_BODY_LENGTH } from './limits.ts'

const document = readFileSync(new URL('../PROTOCOL.md', import.meta.url), 'utf8')

it('PROTOCOL.md names every frame, error code, close code and limit', () => {
  const names = [
    ...CLIENT_FRAME_TYPES,
    ...serverFrame.options.map((option) => option.shape.type.value),
    ...Object.keys(ERRORS),
    ...Object.keys(CLOSE_CODES),
    ...Object.keys(limits.shape),
  ]
  expect(names.filter((name) => !document.includes(`\`${name}\``))).toEqual([])
})

it('PROTOCOL.md states the default of every limit', () => {
  const stated = [
    ...document.slice(document.indexOf('### Limits')).matchAll(/^\| (`\w+`(?:, `\w+`)*) \| ([\d, ]+) \|/gm),
  ].flatMap(([, names = '', values = '']) => {
    const numbers = values.split(', ').map(Number)
    return names.split(', ').map((name, place) => [name.slice(1, -1), numbers[place]])
  })
  expect(Object.fromEntries(stated)).toEqual({ ...DEFAULT_LIMITS, ...DEFAULT_PRE_AUTH })
})

it('a close reason fits a close frame and is one word', () => {
  for (const { reason } of Object.values(CLOSE_CODES)) expect(reason).toMatch(/^[a-z0-9-]{1,40}$/)
})

it('a lost line is worth a reconnect; a revoked session is not', () => {
  expect(afterClose(1006)).toBe('reconnect')
  expect(afterClose(4403)).toBe('stop')
})

it('the default limits are limits, and a body fits a frame', () => {
  const all = { ...DEFAULT_LIMITS, ...DEFAULT_PRE_AUTH }
  expect(limits.parse(all)).toEqual(all)
  expect(DEFAULT_LIMITS.bodyLength).toBeLessThanOrEqual(MAX_BODY_LENGTH)
  // Three bytes a code unit in UTF-8 at the worst.
  expect(MAX_BODY_LENGTH * 3 + 2048).toBeLessThan(DEFAULT_LIMITS.frameBytes)
})
