import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'

/** A Bundle in one piece is read whole, so it is bounded; NDJSON streams and is not. */
const MAX_BUNDLE_BYTES = 256 * 1024 * 1024
/** One NDJSON line. A longer one is reported and passed over. */
const MAX_LINE_LENGTH = 8 * 1024 * 1024

/** Where a resource stood: the report says this and never an id or a name, which might be the patient's. */
export type Place = { readonly file: string; readonly line: number }

export type SourceItem =
  | { readonly place: Place; readonly resource: Record<string, unknown>; readonly fullUrl: string | null }
  | { readonly place: Place; readonly problem: 'not-json' | 'not-a-resource' | 'line-too-long' }

/**
 * The resources of one file of FHIR R4: a Bundle (any type, pretty-printed or not), a single resource, or NDJSON as bulk
 * export writes it. `line` is the line in NDJSON and the entry's number (from 1) in a Bundle. A corrupt line is yielded as a
 * problem and the lines after it are read on. Throws what the file system throws, and on a file that is too large.
 */
export async function* readFhirFile(path: string): AsyncGenerator<SourceItem> {
  const whole = await readWhole(path)
  if (whole === undefined) yield* readLines(path)
  else yield* itemsOf(whole, { file: path, line: 1 })
}

/** The file as one JSON value, or undefined where it is NDJSON: its first line is a value by itself, or the whole is none. */
async function readWhole(path: string): Promise<unknown> {
  const firstLine = await readFirstLine(path)
  if (firstLine !== undefined && parse(firstLine) !== undefined) return undefined
  const { size } = await stat(path)
  if (size > MAX_BUNDLE_BYTES) return undefined
  return parse(await readFile(path, 'utf8'))
}

async function readFirstLine(path: string): Promise<string | undefined> {
  const input = createReadStream(path, 'utf8')
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line.trim() !== '') return line.length > MAX_LINE_LENGTH ? undefined : line
    }
    return undefined
  } finally {
    input.destroy()
  }
}

async function* readLines(path: string): AsyncGenerator<SourceItem> {
  const input = createReadStream(path, 'utf8')
  let number = 0
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1
    if (line.trim() === '') continue
    const place = { file: path, line: number }
    if (line.length > MAX_LINE_LENGTH) {
      yield { place, problem: 'line-too-long' }
      continue
    }
    const value = parse(line)
    if (value === undefined) yield { place, problem: 'not-json' }
    else yield* itemsOf(value, place)
  }
}

function* itemsOf(value: unknown, place: Place): Generator<SourceItem> {
  if (!isObject(value) || typeof value['resourceType'] !== 'string') {
    yield { place, problem: 'not-a-resource' }
    return
  }
  if (value['resourceType'] !== 'Bundle') {
    yield { place, resource: value, fullUrl: null }
    return
  }
  const entries = Array.isArray(value['entry']) ? (value['entry'] as unknown[]) : []
  for (const [index, entry] of entries.entries()) {
    const at = { file: place.file, line: index + 1 }
    const resource = isObject(entry) ? entry['resource'] : undefined
    const fullUrl = isObject(entry) && typeof entry['fullUrl'] === 'string' ? entry['fullUrl'] : null
    if (isObject(resource) && typeof resource['resourceType'] === 'string') yield { place: at, resource, fullUrl }
    else yield { place: at, problem: 'not-a-resource' }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
