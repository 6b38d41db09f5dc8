import { administration } from './administration.ts'
import { care } from './care.ts'
import { conversations } from './conversations.ts'
import type { MatrixCase } from './table.ts'

export type { Expectation, MatrixCase, Standing, Subject } from './table.ts'

/**
 * The specification of access, cell by cell: role × action × subject × standing, written by hand and not derived from the rules.
 * It is the test of `decide`, and of both transports of a live server. No step-up is required in its world, and everyone is a
 * person signed in with the full scopes of their role.
 */
export const matrix: readonly MatrixCase[] = [...care, ...conversations, ...administration]
