import { z } from 'zod'

/** For calls that take no query: one that comes with a query means something that would not be done. */
export const noQuery = z.strictObject({})
