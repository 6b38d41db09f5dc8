import { DEFAULT_LIMITS, DEFAULT_PRE_AUTH } from '@wardline/protocol'

/** The limits that the product comes with, as settings: those that other loads lift are put back. */
export const LIMITS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({ ...DEFAULT_LIMITS, ...DEFAULT_PRE_AUTH }).map(([name, value]) => [
    `WARDLINE_LIMITS_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`,
    String(value),
  ]),
)
