import type { Socket } from 'node:net'
import type { App } from './app-type.ts'

/** How long a stop waits for connections to end by themselves, in milliseconds; longer than a socket's closing takes. */
const END_MS = 5_000

/**
 * Bounds a stop: what is still connected a while after the server has begun to close is cut off, be it a request that does not
 * come to its end or somebody who has connected and never said what for.
 */
export function endWithServer(app: App): void {
  const open = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  app.addHook('preClose', (done) => {
    // Real time: it is other people's machines that are waited for.
    const late = setTimeout(() => {
      for (const socket of open) socket.destroy()
    }, END_MS)
    app.server.once('close', () => clearTimeout(late))
    done()
  })
}
