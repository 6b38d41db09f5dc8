import type { Bus, Hint } from '../bus/bus.ts'
import type { Gateway } from './gateway.ts'

type Parts = Pick<
  Gateway,
  'access' | 'hub' | 'inboxes' | 'receipts' | 'typing' | 'presence' | 'poller' | 'sockets' | 'userRates'
> & {
  readonly onFault: (error: unknown) => void
}

/** Acts on what other nodes hint at. After a gap in hints everything is polled at once. Returns the way to stop. */
export function followHints(bus: Bus, parts: Parts): () => void {
  const stops = [bus.onHint((hint) => follow(hint, parts)), bus.onGap(() => void parts.poller.poll())]
  return () => {
    for (const stop of stops) stop()
  }
}

function follow(hint: Hint, parts: Parts): void {
  const { access, hub, inboxes, receipts, typing, presence, sockets, userRates, onFault } = parts
  switch (hint.k) {
    case 'channel':
      hub.learn(hint.t, hint.c, hint.head)
      inboxes.learn(hint.t, hint.c, hint.head)
      return
    case 'user':
      access.changed(hint.t, hint.u, hint.v)
      return
    case 'tenant':
      access.tenantChanged(hint.t, hint.v)
      return
    case 'receipt':
      receipts.announce(hint.t, { channel: hint.c, user: hint.u, delivered: hint.delivered, read: hint.read })
      return
    case 'typing':
      typing.learn(hint.t, hint.c, hint.u, hint.active)
      return
    case 'presence': {
      const { t, u, status, cover, until } = hint
      presence.learn(t, u, { status, cover, until }).catch(onFault)
      return
    }
    case 'held':
    case 'rate':
      userRates.learn(hint)
      return
    case 'sockets':
      for (const oldest of sockets.learn(hint)) oldest.end(4409, 'sockets-per-user', 'finish')
      return
  }
}
