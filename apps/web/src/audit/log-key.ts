import { useSyncExternalStore } from 'react'
import type { KnownKey } from './proof.ts'

/** The audit log's key as this device knows it: a public key, no secret. `given`: by whoever sits here, and not by the server. */
export type LogKey = { readonly vkey: string; readonly since: string | null; readonly given: boolean }

const KEY = 'wardline.audit-key'
const SINCE = 'wardline.audit-key-since'
const GIVEN = 'wardline.audit-key-given'
const listeners = new Set<() => void>()

/** For the proofs: what this device saw first is what it holds every later proof against. */
export const knownKey: KnownKey = {
  get: () => localStorage.getItem(KEY),
  set(vkey) {
    if (localStorage.getItem(KEY) !== vkey) remember(vkey, false)
  },
}

/** Takes another key for the log's, from somebody who was given it by another way than this server. */
export function giveLogKey(vkey: string): void {
  remember(vkey, true)
}

/** What this device knows now; null: nothing yet. */
export function useLogKey(): LogKey | null {
  const vkey = useSyncExternalStore(subscribe, () => knownKey.get())
  if (vkey === null) return null
  return { vkey, since: localStorage.getItem(SINCE), given: localStorage.getItem(GIVEN) !== null }
}

/** Enough of a key to compare two by eye: its id, eight hexadecimal digits (C2SP signed-note). */
export function keyIdOf(vkey: string): string {
  return vkey.split('+')[1] ?? vkey
}

function remember(vkey: string, given: boolean): void {
  localStorage.setItem(SINCE, new Date().toISOString())
  if (given) localStorage.setItem(GIVEN, '1')
  else localStorage.removeItem(GIVEN)
  localStorage.setItem(KEY, vkey)
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  window.addEventListener('storage', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('storage', listener)
  }
}
