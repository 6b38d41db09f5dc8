import { encode } from './frame.ts'
import type { Gateway } from './gateway.ts'

/** Clients are told to come back within this, each at a moment of its own, so that the next node is not met by all at once. */
const RECONNECT_WITHIN_MS = 5_000

/**
 * Lets all sockets go: each is told when to come back, then closed with 1012 at its turn within `ms`; strangers at once. Posts that
 * came before are committed and answered meanwhile.
 */
export async function drain({ connections, clock }: Gateway, ms: number): Promise<void> {
  const all = [...connections]
  const known = all.filter((connection) => connection.signedIn !== null)
  for (const connection of all) if (connection.signedIn === null) connection.end(1012, 'draining', 'drop')
  for (const { signedIn } of known) {
    const reconnectAfterMs = Math.floor(Math.random() * RECONNECT_WITHIN_MS)
    signedIn?.send(encode({ type: 'server.draining', reconnectAfterMs }))
  }
  await Promise.all(
    known.map(
      (connection, place) =>
        new Promise<void>((resolve) => {
          clock.after((ms * (place + 1)) / known.length, () => {
            connection.end(1012, 'draining', 'finish')
            resolve()
          })
        }),
    ),
  )
}
