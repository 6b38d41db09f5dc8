import { once } from 'node:events'
import { createServer } from 'node:net'

/** A TCP port of the loopback address that nobody listens on now, for a server whose port must be known before it starts. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}
