import { performance } from 'node:perf_hooks'
import type { Peer } from './target.ts'

export type Posted = {
  readonly posts: number
  /** How long each took to be accepted, in ms. */
  readonly accepts: readonly number[]
}

/** Peers post, one after the other and so many in a second whatever comes back, until it is stopped. */
export function postTo(peers: readonly Peer[], perSecond: number, body: string): { stop(): Posted } {
  const began = performance.now()
  const sentAt: number[] = []
  const accepts: number[] = []
  for (const peer of peers) {
    peer.onAccepted = (tag) => void accepts.push(performance.now() - (sentAt[tag] ?? 0))
  }
  const timer = setInterval(() => {
    const due = ((performance.now() - began) / 1000) * perSecond
    while (sentAt.length < due) {
      const tag = sentAt.push(performance.now()) - 1
      peers[tag % peers.length]?.post(tag, body)
    }
  }, 5)
  return {
    stop() {
      clearInterval(timer)
      return { posts: sentAt.length, accepts: [...accepts] }
    },
  }
}
