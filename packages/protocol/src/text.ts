import { z } from 'zod'
import { asPhi, type Phi } from './phi.ts'

/**
 * What no typed text may hold: C0 and C1 controls but tab and newline, the line and paragraph separators, the byte order
 * mark, and the bidirectional embeddings and overrides (U+202A–U+202E) with which a text can be made to read as another.
 * Isolates (U+2066–U+2069) and marks stay: right-to-left languages need them, and screens isolate each text.
 */
const FORBIDDEN = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\uFEFF]/u

/**
 * More marks on one letter than any language writes: the bound of UAX #15 §13. Normalising sorts each such run, and takes the square of its
 * length: half a second for one frame of nothing but marks. Begun at letters alone, so that looking takes one pass.
 */
const MANY_MARKS = /(?:^|\P{M})\p{M}{31}/u

/** Why a text is refused, or null. Lone surrogates cannot be stored as UTF-8, so they are refused and not replaced. */
export function textProblem(text: string): 'lone-surrogate' | 'control-character' | 'too-many-marks' | null {
  if (!text.isWellFormed()) return 'lone-surrogate'
  if (FORBIDDEN.test(text)) return 'control-character'
  return MANY_MARKS.test(text) ? 'too-many-marks' : null
}

/** Text that a person typed: `min`–`max` UTF-16 code units after NFC normalisation, not only white space. */
export function typedText(min: number, max: number) {
  return z
    .string()
    .max(max * 2)
    .refine((text) => textProblem(text) === null, { error: 'holds characters that are not allowed' })
    .transform((text): Phi => asPhi(text.normalize('NFC')))
    .refine((text) => text.length >= min && text.length <= max && (min === 0 || text.trim() !== ''), {
      error: 'is empty or too long',
    })
}

/** A name of a member of staff, a role or a tenant: plain, one line, not ePHI. */
export const plainName = z
  .string()
  .min(1)
  .max(120)
  .refine((text) => textProblem(text) === null && !/[\n\t]/.test(text) && text.trim() === text, {
    error: 'holds characters that are not allowed',
  })
  .transform((text) => text.normalize('NFC'))
