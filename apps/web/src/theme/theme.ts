/** The colours on this device: as the system says, or as the person chose. Not ePHI, so it lies in localStorage. */
export type Theme = 'system' | 'light' | 'dark'

/** The key that public/theme.js reads before the first paint. */
const KEY = 'wardline.theme'

/** What was chosen on this device; `system` when nothing was, or when storage is refused. */
export function chosenTheme(storage: Pick<Storage, 'getItem'> = localStorage): Theme {
  try {
    const value = storage.getItem(KEY)
    return value === 'light' || value === 'dark' ? value : 'system'
  } catch {
    return 'system'
  }
}

/** Shows and keeps the choice. */
export function chooseTheme(
  theme: Theme,
  root: HTMLElement = document.documentElement,
  storage: Storage = localStorage,
): void {
  if (theme === 'system') delete root.dataset['theme']
  else root.dataset['theme'] = theme
  try {
    if (theme === 'system') storage.removeItem(KEY)
    else storage.setItem(KEY, theme)
  } catch {
    // Storage is refused: the choice lasts as long as the page.
  }
}
