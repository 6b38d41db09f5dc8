import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { bytesOfText } from '../../apps/server/src/storage/bytea-text.ts'

let client: pg.Client
beforeAll(async () => {
  client = new pg.Client({ connectionString: inject('postgres').url })
  await client.connect()
})
afterAll(() => client.end())

async function through(bytes: Uint8Array): Promise<Buffer> {
  const { rows } = await client.query<{ text: string }>("SELECT encode($1, 'escape') AS text", [bytes])
  return bytesOfText(rows[0]!.text)
}

describe('bytes that come as text', () => {
  it.each([
    ['no byte', Buffer.alloc(0)],
    ['every byte there is', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    ['what looks like an escape', Buffer.from('\\101 \\\\ \\\\101 \\')],
    ['an event', Buffer.from('{"action":"message.post"}')],
  ])('are what PostgreSQL holds: %s', async (_name, bytes) => {
    expect(await through(bytes)).toEqual(bytes)
  })

  it('are what PostgreSQL holds, whatever they are', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.string({ unit: fc.constantFrom('\\', '0', '1', '7', 'a', 'é', '\0') }).map((text) => Buffer.from(text)),
    )
    return fc.assert(
      fc.asyncProperty(bytes, async (all) => {
        expect(await through(all)).toEqual(Buffer.from(all))
      }),
    )
  })
})
