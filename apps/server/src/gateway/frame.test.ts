import type { Writable } from 'node:stream'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as ws from 'ws'
import { payloadOf, textFrame } from './frame.ts'

// Exported by `ws`, and not by its types.
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable }

/** What `ws` as a client makes of these bytes. */
function received(bytes: Buffer): string[] {
  const messages: string[] = []
  const receiver = new Receiver({ isServer: false, maxPayload: 10_000_000 })
  receiver.on('message', (data: Buffer, isBinary: boolean) => messages.push(isBinary ? 'binary' : data.toString()))
  receiver.on('error', (error: Error) => messages.push(`error: ${error.message}`))
  receiver.write(bytes)
  return messages
}

describe('frame', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 100_000])('a text of %i bytes is one message', (length) => {
    const text = 'x'.repeat(length)
    expect(received(textFrame(text))).toEqual([text])
    expect(payloadOf(textFrame(text)).toString()).toBe(text)
  })

  it('any texts one after the other in one write are the same messages', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 300 }), { maxLength: 20 }), (texts) => {
        expect(received(Buffer.concat(texts.map(textFrame)))).toEqual(texts)
      }),
    )
  })
})
