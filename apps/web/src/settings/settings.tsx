import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react'
import { chooseTheme, chosenTheme, type Theme } from '../theme/theme.ts'

/** What a person set for themselves on this device. No ePHI, so it lies in localStorage. */
export interface Settings {
  readonly theme: Theme
  /** Shortcuts that are one key without a modifier (WCAG 2.1.4: they can be switched off). */
  readonly singleKeys: boolean
  readonly enterSends: boolean
  readonly sound: boolean
}

const KEY = 'wardline.settings'
const DEFAULTS: Omit<Settings, 'theme'> = { singleKeys: true, enterSends: true, sound: true }

/** What was kept; each switch that is missing or not a boolean is as by default. */
export function readSettings(storage: Pick<Storage, 'getItem'>): Omit<Settings, 'theme'> {
  try {
    const kept: unknown = JSON.parse(storage.getItem(KEY) ?? '{}')
    if (typeof kept !== 'object' || kept === null) return DEFAULTS
    const values = new Map<string, unknown>(Object.entries(kept))
    const flag = (name: keyof typeof DEFAULTS) => {
      const value = values.get(name)
      return typeof value === 'boolean' ? value : DEFAULTS[name]
    }
    return { singleKeys: flag('singleKeys'), enterSends: flag('enterSends'), sound: flag('sound') }
  } catch {
    return DEFAULTS
  }
}

interface SettingsValue extends Settings {
  readonly change: (change: Partial<Settings>) => void
}

const SettingsContext = createContext<SettingsValue | null>(null)

export function SettingsProvider({ children }: { readonly children: ReactNode }) {
  const [settings, setSettings] = useState<Settings>(() => ({ ...readSettings(localStorage), theme: chosenTheme() }))
  const change = useCallback((part: Partial<Settings>) => {
    setSettings((before) => {
      const { theme, ...kept } = { ...before, ...part }
      if (part.theme !== undefined) chooseTheme(part.theme)
      try {
        localStorage.setItem(KEY, JSON.stringify(kept))
      } catch {
        // Storage is refused: the choice lasts as long as the page.
      }
      return { ...kept, theme }
    })
  }, [])
  const value = useMemo(() => ({ ...settings, change }), [settings, change])
  return <SettingsContext value={value}>{children}</SettingsContext>
}

export function useSettings(): SettingsValue {
  const value = useContext(SettingsContext)
  if (value === null) throw new Error('outside of SettingsProvider')
  return value
}
