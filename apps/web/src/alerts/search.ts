/** What of the alerts is shown, as it stands in the address bar. */
export interface AlertsSearch {
  readonly state?: 'closed'
}

/** What of an address is understood; the rest is left out. */
export function alertsSearch(raw: Record<string, unknown>): AlertsSearch {
  return raw['state'] === 'closed' ? { state: 'closed' } : {}
}
