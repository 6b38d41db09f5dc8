import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { StartError } from '../errors.ts'
import { certificateOptions, type ServerCertificate } from '../tls/certificates.ts'
import { TLS_OPTIONS } from '../tls/options.ts'
import type { Metrics } from './metrics.ts'

/** Whoever scrapes is one or two, and quick. */
const MAX_CONNECTIONS = 32
const REQUEST_MS = 5_000

export type MetricsServer = { readonly server: Server; readonly port: number; stop(): Promise<void> }

/**
 * `GET /metrics` over TLS, on a port of its own so that a firewall can keep people from it; there is nothing else there.
 * @throws StartError where the port cannot be had
 */
export async function serveMetrics(
  metrics: Metrics,
  { host, port }: { readonly host: string; readonly port: number },
  certificate: ServerCertificate,
): Promise<MetricsServer> {
  const options = { ...TLS_OPTIONS, ...certificateOptions(certificate) }
  const limits = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, handshakeTimeout: REQUEST_MS }
  const server = createServer({ ...options, ...limits }, (request, response) => {
    request.resume()
    const reads = request.method === 'GET' || request.method === 'HEAD'
    if (!reads || request.url !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' }).end(text),
      () => response.writeHead(500).end(),
    )
  })
  server.maxConnections = MAX_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new StartError(
          `The port of the metrics, ${host}:${port}, cannot be had (${error.code}): set WARDLINE_METRICS_PORT to another.`,
        ),
      ),
    )
    server.listen(port, host, resolve)
  })
  return {
    server,
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
