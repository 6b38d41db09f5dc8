import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Draft } from './index.ts'
import { CHANNEL, startLive } from './test-client.ts'

type Vector = { name: string; text: string; fault: null | 'violation' | 'invalid' }
type PostFrame = { type: string; id: unknown; channel: unknown; clientId: unknown } & Record<string, unknown>

const file = new URL('../../protocol/vectors/requests.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Vector[] }

/** Vectors of posts whose draft, what a person gives, is all that is right or wrong with them. */
const drafts = cases.flatMap(({ name, text, fault }) => {
  if (!text.startsWith('{"type":"message.post"') || fault === 'violation') return []
  try {
    const { type: _, id, channel, clientId, ...draft } = JSON.parse(text) as PostFrame
    const whole = [id, channel, clientId].every((value) => typeof value === 'string' && /^[0-9a-z-]{1,36}$/.test(value))
    return whole ? [{ name, draft: draft as Draft, fault }] : []
  } catch {
    return []
  }
})

describe('[P8] what the SDK sends is what the vectors accept', () => {
  it('there are vectors of both kinds', () => {
    expect(drafts.some(({ fault }) => fault === null)).toBe(true)
    expect(drafts.some(({ fault }) => fault === 'invalid')).toBe(true)
  })

  it.each(drafts)('$name', async ({ draft, fault }) => {
    const { server, wardline } = await startLive()
    if (fault === null) {
      const { clientId } = wardline.post(CHANNEL, draft)
      const accepted = wardline.outbox.accepted(clientId)
      await server.settle()
      expect(await accepted).toMatchObject({ seq: 1 })
    } else {
      expect(() => wardline.post(CHANNEL, draft)).toThrow('The request is not valid.')
    }
  })
})
