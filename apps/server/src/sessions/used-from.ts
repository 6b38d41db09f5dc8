import { isIPv6 } from 'node:net'

/** From where a session is used, as coarse as it is kept and compared. */
export type UsedFrom = { readonly network: string; readonly agent: string; readonly address: string }

/** The /24 of an IPv4 address, the /48 of an IPv6 address: what an organisation's site or a provider's customer has. */
export function siteOf(address: string): string {
  if (!isIPv6(address)) return `${address.split('.').slice(0, 3).join('.')}.0/24`
  const [head = '', tail] = address.toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0')
  const groups = [...before, ...zeros, ...after].slice(0, 3)
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/48`
}

// The first that is found: each browser also names those that it wants to be taken for.
const BROWSERS = [
  ['edge', /\bEdg(?:e|A|iOS)?\//],
  ['firefox', /\b(?:Firefox|FxiOS)\//],
  ['chrome', /\b(?:Chrome|CriOS|HeadlessChrome)\//],
  ['safari', /\bSafari\//],
] as const
const SYSTEMS = [
  ['android', /\bAndroid\b/],
  ['ios', /\b(?:iPhone|iPad|iPod)\b/],
  ['windows', /\bWindows\b/],
  ['macos', /\bMac OS X\b/],
  ['linux', /\b(?:Linux|X11|CrOS)\b/],
] as const

/**
 * The kind of browser and of operating system, as words of a list: the header is free text and is not kept. Without versions,
 * so that an update is no change.
 */
export function agentOf(userAgent: string | undefined): string {
  const text = (userAgent ?? '').slice(0, 512)
  const find = (kinds: readonly (readonly [string, RegExp])[]) => kinds.find(([, by]) => by.test(text))?.[0] ?? 'other'
  return `${find(BROWSERS)}/${find(SYSTEMS)}`
}

/** @param address without zone, an IPv4 address written as such */
export function usedFrom(address: string, userAgent: string | undefined): UsedFrom {
  return { network: siteOf(address), agent: agentOf(userAgent), address }
}
