const KEY = 'wardline.tenant'

/** The organisation that somebody signed in to on this device: a workstation belongs to one. Not a secret, no ePHI. */
export function keptTenant(): string {
  try {
    return localStorage.getItem(KEY) ?? ''
  } catch {
    return ''
  }
}

export function keepTenant(tenant: string): void {
  try {
    localStorage.setItem(KEY, tenant)
  } catch {
    // Storage is refused: it is typed again next time.
  }
}
