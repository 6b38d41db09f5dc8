import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Fate, Passing } from './fake-server/index.ts'
import { CHANNEL, record, seqs, startLive, upTo } from './test-client.ts'

/**
 * What one frame meets. Cuts may come anywhere, in the handshake too; losses, delays and doubles are what no WebSocket does
 * to a single frame, and a broken proxy or a hub with a fault might.
 */
const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 30, arbitrary: fc.constant<Fate>('deliver') },
  { weight: 3, arbitrary: fc.constantFrom<Fate>('cut-before', 'cut-after') },
)
const anyFate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 30, arbitrary: fate },
  { weight: 1, arbitrary: fc.constantFrom<Fate>('drop', 'twice') },
  { weight: 1, arbitrary: fc.nat({ max: 800 }).map((delayMs): Fate => ({ delayMs })) },
)

/** What happens beside the frames: somebody posts, this person posts, time passes, the line goes. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant('post' as const) },
  { weight: 6, arbitrary: fc.constant('say' as const) },
  { weight: 2, arbitrary: fc.constantFrom('cut' as const, 'freeze' as const, 'outage' as const, 'renew' as const) },
  { weight: 4, arbitrary: fc.nat({ max: 3_000 }) },
)

/** Runs the steps under the fates, then lets the network be good, and says what came of it. */
async function run(fates: readonly Fate[], steps: readonly (string | number)[], spare: (passing: Passing) => boolean) {
  const client = await startLive({ tokenSeconds: 60 })
  const { server, wardline, time } = client
  const events = record(wardline)
  const holes: unknown[] = []
  wardline.channel(CHANNEL).on('hole', (hole) => holes.push(hole))
  wardline.channel(CHANNEL).open({ after: 0 })
  const left = [...fates]
  server.fault((passing) => (spare(passing) ? 'deliver' : (left.shift() ?? 'deliver')))
  const posted: string[] = []
  const accepted: { clientId: string; seq: number }[] = []
  wardline.on('outbox', ({ clientId, state }) => {
    if (state.is === 'accepted') accepted.push({ clientId, seq: state.seq })
  })
  for (const [n, what] of steps.entries()) {
    if (what === 'post') posted.push(wardline.post(CHANNEL, `post ${n}`).clientId)
    else if (what === 'say') server.say(CHANNEL, `said ${n}`)
    else if (what === 'cut') server.cut()
    else if (what === 'freeze') server.freeze()
    else if (what === 'renew') server.renew()
    else if (what === 'outage') {
      server.offline()
      await time.advance(2_000)
      server.online()
    } else await time.advance(Number(what))
    if (n % 3 === 0) await server.settle()
  }
  server.fault(null)
  await time.advance(300_000)
  return { ...client, events, holes, posted, accepted }
}

/** Everything that was committed comes once and ascending; everything that was written is committed once, in its order. */
function account({ server, wardline, events, holes, posted, accepted }: Awaited<ReturnType<typeof run>>) {
  const committed = server.events(CHANNEL)
  const mine = committed.flatMap(({ seq, event }) =>
    event.type === 'message.posted' && posted.includes(event.clientId) ? [{ clientId: event.clientId, seq }] : [],
  )
  return {
    found: {
      seqs: seqs(events),
      events,
      holes,
      mine: mine.map(({ clientId }) => clientId),
      accepted,
      unsent: wardline.outbox.list(),
      line: wardline.connection.state.is,
    },
    due: {
      seqs: upTo(committed.length),
      events: committed,
      holes: [],
      mine: posted,
      accepted: mine,
      unsent: [],
      line: 'live',
    },
  }
}

describe('[P3] [P4] [R-41] [R-42] nothing is lost and nothing is doubled', () => {
  it('with cuts at random points of every exchange', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { maxLength: 120 }), fc.array(step, { maxLength: 40 }), async (fates, steps) => {
        const { found, due } = account(await run(fates, steps, () => false))
        expect(found).toEqual(due)
      }),
      { numRuns: 150 },
    )
  })

  it('with single frames lost, late and doubled as well', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFate, { maxLength: 80 }),
        fc.array(step, { maxLength: 30 }),
        async (fates, steps) => {
          const { found, due } = account(await run(fates, steps, ({ type }) => type.startsWith('session.')))
          expect(found).toEqual(due)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('with a cut before and after each single frame of a conversation', async () => {
    const steps = ['post', 'say', 'post', 'renew', 400, 'say', 'post', 'say', 400]
    for (let at = 0; at < 40; at += 1) {
      for (const cut of ['cut-before', 'cut-after'] as const) {
        const fates = [...Array.from({ length: at }, () => 'deliver' as const), cut]
        const { found, due } = account(await run(fates, steps, () => false))
        expect(found).toEqual(due)
      }
    }
  })
})
