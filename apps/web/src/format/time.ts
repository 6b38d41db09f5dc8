/** The zone that all times are shown in: this device’s. Screens say which it is. */
export function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** What the formatters need to know; tests pass their own. */
export interface TimeFormat {
  readonly zone: string
  readonly locale: string | undefined
}

const here: TimeFormat = { zone: zone(), locale: undefined }

const formatters = new Map<string, Intl.DateTimeFormat>()

/** `Intl` objects are dear to make and these are used for each row. */
function formatter(
  name: string,
  options: Intl.DateTimeFormatOptions,
  { zone, locale }: TimeFormat,
): Intl.DateTimeFormat {
  const key = `${name}|${zone}|${locale ?? ''}`
  let found = formatters.get(key)
  if (found === undefined) {
    found = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone })
    formatters.set(key, found)
  }
  return found
}

/** `14:32`. Always 24 hours: there is no half of a day to mistake. */
export function clock(at: string | number, format: TimeFormat = here): string {
  return formatter('clock', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }, format).format(new Date(at))
}

/** `14:32:07`, for the audit. */
export function clockSeconds(at: string | number, format: TimeFormat = here): string {
  return formatter(
    'seconds',
    { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
    format,
  ).format(new Date(at))
}

/** `2026-11-22`: the calendar day in the zone, to compare and to group by. */
export function dayKey(at: string | number | Date, format: TimeFormat = here): string {
  return formatter('day', { year: 'numeric', month: '2-digit', day: '2-digit' }, { ...format, locale: 'en-CA' }).format(
    new Date(at),
  )
}

/** `22-Nov-2026`. */
export function shortDate(at: string | number, format: TimeFormat = here): string {
  const parts = formatter(
    'short',
    { year: 'numeric', month: 'short', day: '2-digit' },
    { ...format, locale: 'en-US' },
  ).formatToParts(new Date(at))
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((each) => each.type === type)?.value ?? ''
  return `${part('day')}-${part('month')}-${part('year')}`
}

/** Which of the words a day is said in; the words themselves are in strings. */
export type DayWord = { readonly is: 'today' | 'yesterday' | 'other'; readonly date: string }

/** A day as a separator says it: `Sunday 22 November 2026`, and whether that is today or yesterday. */
export function dayWord(at: string | number, now: number, format: TimeFormat = here): DayWord {
  const date = formatter('long', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }, format).format(
    new Date(at),
  )
  const key = dayKey(at, format)
  if (key === dayKey(now, format)) return { is: 'today', date }
  return { is: key === dayKey(now - 86_400_000, format) ? 'yesterday' : 'other', date }
}

/** As short as an inbox row needs it: the time today, `Fri` within the week, else the date. */
export function rowTime(at: string, now: number, format: TimeFormat = here): string {
  if (dayKey(at, format) === dayKey(now, format)) return clock(at, format)
  if (now - new Date(at).getTime() < 6 * 86_400_000) {
    return formatter('weekday', { weekday: 'short' }, format).format(new Date(at))
  }
  return shortDate(at, format)
}

/** `until 19:00`, or with the date if that is not today: the end of an assignment. */
export function untilTime(at: string, now: number, format: TimeFormat = here): string {
  return dayKey(at, format) === dayKey(now, format)
    ? clock(at, format)
    : `${shortDate(at, format)} ${clock(at, format)}`
}
