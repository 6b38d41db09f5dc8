import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A fake of S3, for tests: neither npm nor Debian has a server with object lock and conditional writes. It keeps to the API reference in
 * what a log uses (signatures, sums, `If-None-Match`, COMPLIANCE locks, versions, lists in pages) and refuses everything else.
 */

type Version = { readonly bytes: Buffer; readonly lockedUntil: number }

export type FakeS3 = {
  readonly url: string
  /** The versions of each object, the last one last; a deleted one has none on top, but keeps those that are locked. */
  readonly objects: Map<string, Version[]>
  readonly requests: string[]
  /** Answers to give instead of the next ones, by status. */
  readonly failures: number[]
  close(): Promise<void>
}

export const CREDENTIALS = { accessKeyId: 'AKIDLOG', secretAccessKey: 'a secret of the log' }
const REGION = 'eu-test-1'
const PAGE = 3

export async function startFakeS3(now: () => number): Promise<FakeS3> {
  const objects = new Map<string, Version[]>()
  const requests: string[] = []
  const failures: number[] = []

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const url = new URL(request.url ?? '', 'http://fake')
    requests.push(`${request.method} ${url.pathname}`)
    const end = (status: number, text: string | Buffer = '') => response.writeHead(status).end(text)
    const failure = failures.shift()
    if (failure !== undefined) return void end(failure)
    if (!isSigned(request, url, body)) return void end(403)
    const [, bucket, ...rest] = url.pathname.split('/')
    const key = decodeURIComponent(rest.join('/'))
    if (bucket !== 'audit') return void end(404)
    const versions = objects.get(key) ?? []
    const present = versions.at(-1)
    if (request.method === 'GET' && key === '') return void end(200, list(url))
    if (request.method === 'GET') return void (present === undefined ? end(404) : end(200, present.bytes))
    if (request.method === 'DELETE') {
      // Without a version it only hides what is there; a log's own role may not even do that to what is locked.
      if (present !== undefined && present.lockedUntil > now()) return void end(403)
      objects.delete(key)
      return void end(204)
    }
    if (request.method !== 'PUT') return void end(405)
    const sum = createHash('sha256').update(body).digest('base64')
    const lock = request.headers['x-amz-object-lock-retain-until-date']
    if (request.headers['x-amz-checksum-sha256'] !== sum) return void end(400)
    if ((lock !== undefined) !== (request.headers['x-amz-object-lock-mode'] === 'COMPLIANCE')) return void end(400)
    if (request.headers['if-none-match'] === '*' && present !== undefined) return void end(412)
    const lockedUntil = lock === undefined ? 0 : Date.parse(String(lock))
    objects.set(key, [...versions, { bytes: body, lockedUntil }])
    end(200)
  }

  function list(url: URL): string {
    const prefix = url.searchParams.get('prefix') ?? ''
    const after = url.searchParams.get('continuation-token') ?? ''
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted()
    const page = keys.slice(0, PAGE)
    const next = keys.length > PAGE ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
    return `<ListBucketResult>${page.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('')}${next}</ListBucketResult>`
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/audit/logs/hospital`,
    objects,
    requests,
    failures,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** AWS Signature Version 4, checked as its reference describes the service's side: from the request, by the names that it says are signed. */
function isSigned(request: IncomingMessage, url: URL, body: Buffer): boolean {
  const [, key, scope = '', names = '', signature] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    ) ?? []
  const hash = createHash('sha256').update(body).digest('hex')
  const mustSign = ['host', ...Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'))]
  if (key !== CREDENTIALS.accessKeyId || request.headers['x-amz-content-sha256'] !== hash) return false
  if (!mustSign.every((name) => names.split(';').includes(name)) || scope.split('/')[1] !== REGION) return false
  const query = url.search.slice(1).split('&').toSorted().join('&')
  const lines = names.split(';').map((name) => `${name}:${String(request.headers[name])}\n`)
  const canonical = `${request.method}\n${url.pathname}\n${query}\n${lines.join('')}\n${names}\n${hash}`
  const digest = createHash('sha256').update(canonical).digest('hex')
  let secret = Buffer.from(`AWS4${CREDENTIALS.secretAccessKey}`)
  for (const part of scope.split('/')) secret = createHmac('sha256', secret).update(part).digest()
  const text = `AWS4-HMAC-SHA256\n${String(request.headers['x-amz-date'])}\n${scope}\n${digest}`
  return createHmac('sha256', secret).update(text).digest('hex') === signature
}
