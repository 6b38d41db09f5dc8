/** Words that several screens say. */

/** `1 message`, `2 messages`. */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}

export const words = {
  product: 'Wardline',
  cancel: 'Cancel',
  close: 'Close',
  retry: 'Try again',
  loading: 'Loading…',
  unknown: 'unknown',
  me: 'You',
  somebody: 'Somebody no longer in this conversation',
  back: 'Back to the inbox',
  timesIn: (zone: string) => `Times in ${zone.replaceAll('_', ' ')}, the zone of this device`,
  priority: { routine: 'Routine', urgent: 'Urgent', stat: 'STAT' },
  /** Role names are short codes; those every organisation starts with have words. */
  role: (name: string | null) => {
    if (name === null) return ''
    const text = name.replaceAll('-', ' ')
    return text.charAt(0).toUpperCase() + text.slice(1)
  },
  errors: {
    unreachable: 'The server cannot be reached. Check the network; Wardline keeps trying.',
    forbidden: 'You may not see this.',
    forbiddenMore:
      'Access follows your care team and your role. If you need it, ask the charge nurse or your administrator.',
    notFound: 'There is nothing here that you may see.',
    notFoundMore: 'It may have moved, or you are no longer in its care team.',
    failed: 'Something failed on our side.',
    failedMore: 'Nothing was changed. Try again in a moment.',
    rateLimited: 'Too many requests. Wait a moment, then try again.',
  },
} as const
