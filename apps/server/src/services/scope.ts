import { isScopeClaim, parseScopes } from '@wardline/policy'

/** Whether a program may be given it: well formed, and without a family, which covers nothing in a program's token. */
export function isServiceScope(claim: string): boolean {
  return isScopeClaim(claim) && parseScopes(claim).families.size === 0
}

/** What is asked for out of what may be had; all of it where nothing is asked for. Null: more than may be had. */
export function narrowed(held: string, asked: string | undefined): string | null {
  if (asked === undefined) return held
  const words = new Set(held.split(' '))
  return asked.split(' ').every((word) => words.has(word)) ? asked : null
}
