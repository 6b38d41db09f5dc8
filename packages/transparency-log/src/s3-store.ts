import { createHash } from 'node:crypto'
import { equalBytes } from './bytes.ts'
import { encodeUri, type S3Credentials, signRequest } from './sigv4.ts'
import { assertStorePath, isReplaced, type ReadableStore, StoreConflictError, type TileStore } from './tile-store.ts'

export type S3Options = {
  /** `https://host/bucket/prefix`: the bucket is the first part of the path, the rest goes before each name. */
  readonly url: string
  readonly region: string
  readonly credentials: S3Credentials
  /** Full tiles, bundles and kept checkpoints may not be deleted or replaced by anyone for so long (object lock, COMPLIANCE); 0: no lock. */
  readonly retentionDays: number
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  readonly fetch?: typeof fetch
}

/** A request is given up after so long; the log tries again. */
const ANSWER_MS = 10_000
/** A write that the store could not order against another is asked again. */
const CONFLICT_TRIES = 3
const DAY_MS = 86_400_000
const NOTHING = new Uint8Array(0)

/** The store answered something else than it must. */
export class S3Error extends Error {
  override readonly name = 'S3Error'
  readonly code: string

  constructor(what: string, status: number) {
    super(`${what} was answered with ${status}`)
    this.code = `HTTP ${status}`
  }
}

/**
 * A log in a bucket of S3, or of what speaks like it. Files are created only where there is none (`If-None-Match: *`), and those that will
 * never change again are locked; partial tiles, which the full ones replace, are not.
 */
export function s3Store(options: S3Options): TileStore & ReadableStore {
  const base = new URL(options.url.replace(/\/*$/, '/'))
  const bucketPath = `/${base.pathname.split('/')[1] ?? ''}`
  const prefix = base.pathname.slice(bucketPath.length + 1)
  const now = options.now ?? Date.now

  async function ask(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body: Uint8Array = NOTHING,
  ): Promise<Response> {
    const url = new URL(path, base)
    const signed = signRequest({ method, url, headers, body }, options.credentials, options.region, now())
    const init = { method, headers: signed, redirect: 'error' as const, signal: AbortSignal.timeout(ANSWER_MS) }
    return (options.fetch ?? fetch)(url, method === 'PUT' ? { ...init, body: Buffer.from(body) } : init)
  }

  const objectPath = (name: string): string => {
    assertStorePath(name)
    return base.pathname + name.split('/').map(encodeUri).join('/')
  }

  async function read(name: string): Promise<Uint8Array | undefined> {
    const answer = await ask('GET', objectPath(name))
    if (answer.status === 200) return new Uint8Array(await answer.arrayBuffer())
    await answer.body?.cancel()
    if (answer.status === 404) return undefined
    throw new S3Error(`reading ${name}`, answer.status)
  }

  async function write(name: string, bytes: Uint8Array): Promise<void> {
    const headers: Record<string, string> = {
      'content-type': 'application/octet-stream',
      // What is locked must come with a sum of it.
      'x-amz-checksum-sha256': createHash('sha256').update(bytes).digest('base64'),
      ...(isReplaced(name) ? {} : { 'if-none-match': '*' }),
      ...lock(name),
    }
    for (let tries = 1; ; tries++) {
      const answer = await ask('PUT', objectPath(name), headers, bytes)
      await answer.body?.cancel()
      if (answer.status === 200) return
      if (answer.status === 412) return assertSame(name, bytes)
      // 409: another write of that name was under way at the same time.
      if (answer.status !== 409 || tries === CONFLICT_TRIES) throw new S3Error(`writing ${name}`, answer.status)
    }
  }

  function lock(name: string): Record<string, string> {
    const isForGood = !isReplaced(name) && !name.includes('.p/')
    if (!isForGood || options.retentionDays === 0) return {}
    const until = new Date(now() + options.retentionDays * DAY_MS).toISOString()
    return { 'x-amz-object-lock-mode': 'COMPLIANCE', 'x-amz-object-lock-retain-until-date': until }
  }

  async function assertSame(name: string, bytes: Uint8Array): Promise<void> {
    const there = await read(name)
    if (there === undefined || !equalBytes(there, bytes)) throw new StoreConflictError(name)
  }

  async function* list(folder: string): AsyncGenerator<string> {
    for (let token: string | undefined; ; ) {
      const query = new URLSearchParams({ 'list-type': '2', prefix: `${prefix}${folder}/` })
      if (token !== undefined) query.set('continuation-token', token)
      const answer = await ask('GET', `${bucketPath}?${query.toString().replaceAll('+', '%20')}`)
      if (answer.status !== 200) throw new S3Error(`listing ${folder}`, answer.status)
      const text = await answer.text()
      for (const [, key = ''] of text.matchAll(/<Key>([^<]*)<\/Key>/g)) yield key.slice(prefix.length)
      token = /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/.exec(text)?.[1]
      if (token === undefined) return
    }
  }

  return {
    read,
    write,
    list,
    async removePartials(name) {
      if ((await read(name)) === undefined) return
      for await (const partial of list(`${name}.p`)) {
        const answer = await ask('DELETE', objectPath(partial))
        await answer.body?.cancel()
        if (answer.status !== 204 && answer.status !== 200) throw new S3Error(`deleting ${partial}`, answer.status)
      }
    },
  }
}
