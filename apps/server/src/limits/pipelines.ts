import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Requests of one connection that wait for their answers. Browsers and proxies send the next one when they have the last one's. */
export const MAX_WAITING = 16

type Pipeline = { waiting: number; isOver: boolean }

type Parts = {
  /** One too many: it is answered, and its answer ends the connection. */
  readonly refuse: (request: IncomingMessage, response: ServerResponse) => void
  /** One behind that: nobody answers it. */
  readonly onDropped: (request: IncomingMessage) => void
}

/**
 * Bounds what one connection may ask before it is answered (RFC 9112 §9.3.2). Node's parser tells of everything that came in one piece at
 * once: of 16 KiB some six hundred requests, each of which would be routed, refused and logged before the first refusal has ended the connection.
 */
export function boundPipelines(server: Server, { refuse, onDropped }: Parts): void {
  const pipelines = new WeakMap<Socket, Pipeline>()
  for (const event of ['request', 'checkExpectation'] as const) {
    const listeners = server.listeners(event)
    server.removeAllListeners(event)
    server.on(event, (request: IncomingMessage, response: ServerResponse) => {
      const pipeline = pipelines.get(request.socket) ?? { waiting: 0, isOver: false }
      pipelines.set(request.socket, pipeline)
      if (pipeline.isOver) return onDropped(request)
      pipeline.waiting += 1
      response.once('close', () => {
        pipeline.waiting -= 1
      })
      pipeline.isOver = pipeline.waiting > MAX_WAITING
      if (!pipeline.isOver) for (const listener of listeners) listener.call(server, request, response)
      else {
        readNoFurther(request.socket)
        refuse(request, response)
      }
    })
  }
}

/**
 * What comes in later pieces is not parsed any more: it is `HPE_PAUSED`, as where Node itself has enough. There is no public way; if Node's
 * inside is another one day, it is parsed and dropped, and a test says so.
 */
function readNoFurther(socket: Socket): void {
  const { parser } = socket as { parser?: { pause?: () => void } | null }
  parser?.pause?.()
}
