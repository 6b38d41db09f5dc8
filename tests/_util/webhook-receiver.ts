import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority, issueCertificate } from '../../apps/server/src/tls/local-authority.ts'

export type ReceivedWebhook = { readonly headers: IncomingHttpHeaders; readonly body: string }

export type WebhookReceiver = {
  /** `https://localhost:<port>/hook`. */
  readonly url: string
  /** A PEM file of the authority that vouches for it. */
  readonly caFile: string
  readonly received: ReceivedWebhook[]
  /** What it answers from now on; a function may do anything with the connection. */
  answer(status: number, headers?: Record<string, string>): void
  close(): Promise<void>
}

/** Something that webhooks are sent to: on this machine, under a certificate of an authority that nobody else trusts. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const folder = mkdtempSync(join(tmpdir(), 'wardline-webhook-'))
  const authority = await createAuthority(Date.now())
  const { certificate, key } = await issueCertificate(authority, ['localhost', '127.0.0.1'], Date.now())
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, authority.certificate)
  const received: ReceivedWebhook[] = []
  let next: { status: number; headers: Record<string, string> } = { status: 204, headers: {} }
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
      response.writeHead(next.status, next.headers).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}/hook`,
    caFile,
    received,
    answer(status, headers = {}) {
      next = { status, headers }
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => {
          rmSync(folder, { recursive: true })
          resolve()
        })
      }),
  }
}
