import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** A TCP port of the loopback address that nobody listens on now, for a server whose port must be known before it starts. */
export async function freePort(): Promise<number> {
  return (await listen(0)) ?? 0
}

/** The same for a server that will be down for a while: below the ports that systems give to whoever asks for any. */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = await listen(randomInt(20_000, 30_000))
    if (port !== null) return port
  }
}

async function listen(wanted: number): Promise<number | null> {
  const server = createServer()
  try {
    server.listen(wanted, '127.0.0.1')
    await once(server, 'listening')
  } catch {
    return null
  }
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}
