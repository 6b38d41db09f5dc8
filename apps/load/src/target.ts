/** A server under load, and the sockets that load it. Every target delivers each post to all peers of its channel, its sender included. */
export type Target = {
  readonly name: string
  /** Starts the server's processes and opens `channels × peersPerChannel` sockets, each in its channel. */
  open(layout: Layout): Promise<readonly Peer[]>
  /** The processes whose CPU counts: the server and, where there is one, its database. */
  processes(): readonly number[]
  close(): Promise<void>
}

export type Layout = { readonly channels: number; readonly peersPerChannel: number }

/** One socket. The generator sets the two callbacks before it posts. */
export type Peer = {
  readonly channel: number
  /** Sends one post; `tag` comes back in `onAccepted`. */
  post(tag: number, body: string): void
  /** The server has taken the post: for Wardline, it is on disk. */
  onAccepted: (tag: number) => void
  /** A post of the channel has arrived. Throws where it is not the next one: deliveries are checked, not only counted. */
  onDelivered: (tag: number) => void
}
