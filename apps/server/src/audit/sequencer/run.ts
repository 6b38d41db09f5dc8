import { join } from 'node:path'
import { parseVerifierKey } from '@wardline/transparency-log'
import { headFile } from '@wardline/transparency-log/head-file'
import { systemClock } from '../../clock.ts'
import { type LogPlace, logStore } from '../log-store.ts'
import { logKeyFiles } from './log-key.ts'
import type { WriterGap } from './places.ts'
import { Sequencer, type SequencerState } from './sequencer.ts'
import type { WitnessState } from './witnesses.ts'

/** Plain values, so that they can be handed to a thread. */
export type RunOptions = LogPlace & {
  readonly databaseUrl: string
  /** First line of every checkpoint. */
  readonly origin: string
  /** Of the signing key, and of what this process remembers of its last head: not where the log is. */
  readonly keysDir: string
  readonly witnesses: readonly { readonly url: string; readonly vkey: string }[]
}

/** What a sequencer says of itself, when it changes. */
export type SequencerNews =
  | { readonly news: 'state'; readonly state: SequencerState }
  | { readonly news: 'gap'; readonly gap: WriterGap }
  | { readonly news: 'key'; readonly vkey: string }
  | { readonly news: 'witness'; readonly witness: string; readonly state: WitnessState }

/** Where this process remembers the head: with the keys, which are no part of a backup of the log or the database. */
const HEAD_FILE = 'audit-log.head'

export function sequencerOf(options: RunOptions, tell: (news: SequencerNews) => void): Sequencer {
  const { databaseUrl, keysDir, origin, witnesses } = options
  return new Sequencer({
    databaseUrl,
    tiles: logStore(options),
    headFile: headFile(join(keysDir, HEAD_FILE)),
    keys: logKeyFiles(keysDir, origin),
    witnesses: witnesses.map(({ url, vkey }) => ({ url, key: parseVerifierKey(vkey) })),
    clock: systemClock,
    onGap: (gap) => tell({ news: 'gap', gap }),
    onKey: (vkey) => tell({ news: 'key', vkey }),
    onWitness: ({ key }, state) => tell({ news: 'witness', witness: key.name, state }),
  })
}

/** Looks again and again until it is stopped. `stop` resolves when the last look is over. */
export function runSequencer(sequencer: Sequencer, tell: (news: SequencerNews) => void): { stop(): Promise<void> } {
  let stopped = false
  let wake = () => {}

  async function run(): Promise<void> {
    for (let known: SequencerState | undefined; !stopped; ) {
      const wait = await sequencer.step()
      if (sequencer.state !== known) {
        known = sequencer.state
        tell({ news: 'state', state: known })
      }
      if (!stopped)
        await new Promise<void>((resolve) => {
          const cancel = systemClock.after(wait, resolve)
          wake = () => {
            cancel()
            resolve()
          }
        })
    }
    // What was written while it stopped: the server's own farewell is among it.
    await sequencer.step()
    await sequencer.close()
  }
  const running = run()
  return {
    stop() {
      stopped = true
      wake()
      return running
    },
  }
}
