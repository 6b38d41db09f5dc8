/** What a socket tells. Attached before anything is awaited, so nothing is missed. */
export type SocketListener = {
  /** A text frame, or null for a binary one, which this protocol does not have. */
  received(text: string | null): void
  /** The peer answered at the level of the transport (a ping in Node; browsers do not show them). */
  heard(): void
  /** Once and last. 1006 where the line broke or was never there. */
  closed(code: number): void
}

/** All of a WebSocket that the SDK knows. */
export type SocketLike = {
  send(text: string): void
  close(code: number): void
}

/**
 * Opens a socket that offers `protocols`. Never throws: what fails is told by `closed`, never before this has returned.
 */
export type Transport = (url: string, protocols: readonly string[], listener: SocketListener) => SocketLike

/** The global WebSocket: browsers, and Node where no own CA or Origin is needed. */
export const globalTransport: Transport = (url, protocols, listener) => {
  const socket = new WebSocket(url, [...protocols])
  socket.addEventListener('message', (event: MessageEvent<unknown>) => {
    listener.received(typeof event.data === 'string' ? event.data : null)
  })
  socket.addEventListener('close', (event) => listener.closed(event.code))
  return {
    // A socket that is not open yet throws and one that is closing drops; the close that follows tells of both.
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    close: (code) => socket.close(code),
  }
}
