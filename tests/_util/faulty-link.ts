import { connect, createServer, type Socket } from 'node:net'

/** A TCP link to a server that can be made to fail where networks fail. Close it in `afterAll`. */
export type FaultyLink = {
  /** The same URL, over the link. */
  readonly url: string
  /** The next request that holds this text reaches the server; its answer is lost, and the connection with it. */
  loseAnswerTo(text: string): void
  /** Nothing gets through, new connections are refused, until `mend`. */
  cut(): void
  mend(): void
  /** Requests are taken and never answered, until `mend`. */
  hang(): void
  /** How many connections were made so far. */
  readonly connections: number
  close(): Promise<void>
}

export async function createFaultyLink(target: string): Promise<FaultyLink> {
  const server = new URL(target)
  const sockets = new Set<Socket>()
  let state: 'open' | 'cut' | 'hung' = 'open'
  let awaited: string | undefined
  let connections = 0

  const listener = createServer((client) => {
    if (state === 'cut') {
      client.destroy()
      return
    }
    connections += 1
    const upstream = connect(Number(server.port), server.hostname)
    let losing = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (data) => {
      if (awaited !== undefined && data.includes(awaited)) {
        awaited = undefined
        losing = true
      }
      if (state !== 'hung') upstream.write(data)
    })
    upstream.on('data', (data) => {
      // It has answered, so it has done what was asked.
      if (losing) client.destroy()
      else client.write(data)
    })
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  const url = new URL(target)
  url.port = String(typeof address === 'object' ? address?.port : '')

  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: url.href,
    loseAnswerTo: (text) => {
      awaited = text
    },
    cut: () => {
      state = 'cut'
      drop()
    },
    hang: () => {
      state = 'hung'
    },
    mend: () => {
      if (state === 'hung') drop()
      state = 'open'
    },
    get connections() {
      return connections
    },
    close: async () => {
      drop()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}
