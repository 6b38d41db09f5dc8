import { readFileSync } from 'node:fs'

/** A file of `vectors/`, whose shape the test that uses it states. */
export function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as T
}
