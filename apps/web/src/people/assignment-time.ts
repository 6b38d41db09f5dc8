import type { CareTeamAssignment } from '@wardline/protocol'

/** How an assignment stands at `now`, in milliseconds: in force from its beginning up to, not including, its end. */
export function whenOf(
  { startsAt, endsAt }: Pick<CareTeamAssignment, 'startsAt' | 'endsAt'>,
  now: number,
): 'now' | 'coming' | 'past' {
  if (endsAt !== null && Date.parse(endsAt) <= now) return 'past'
  return Date.parse(startsAt) > now ? 'coming' : 'now'
}

/** What somebody typed into a field for date and time, in the zone of this device, as RFC 3339; null where it is empty or no time. */
export function typedTime(text: string): string | null {
  const at = new Date(text)
  return text === '' || Number.isNaN(at.getTime()) ? null : at.toISOString()
}
