import { join } from 'node:path'
import { type NoteSigner, parseSignerKey } from '@wardline/transparency-log'
import { directoryStore } from '@wardline/transparency-log/directory-store'
import { headFile } from '@wardline/transparency-log/head-file'
import { systemClock } from '../../clock.ts'
import type { WriterGap } from './places.ts'
import { Sequencer, type SequencerState } from './sequencer.ts'

/** Plain values, so that they can be handed to a thread. */
export type RunOptions = {
  readonly databaseUrl: string
  /** Of the log's files. */
  readonly auditDir: string
  /** Where this process remembers its last head: not where the log is. */
  readonly headFile: string
  /** The signing key as text. */
  readonly skey: string
}

/** What a sequencer says of itself, when it changes. */
export type SequencerNews =
  | { readonly news: 'state'; readonly state: SequencerState }
  | { readonly news: 'gap'; readonly gap: WriterGap }

/** Where this process remembers the head: with the keys, which are no part of a backup of the log or the database. */
export function headFileIn(keysDir: string): string {
  return join(keysDir, 'audit-log.head')
}

export function sequencerOf(options: RunOptions, tell: (news: SequencerNews) => void): Sequencer {
  const signer: NoteSigner = parseSignerKey(options.skey)
  return new Sequencer({
    databaseUrl: options.databaseUrl,
    tiles: directoryStore(options.auditDir),
    headFile: headFile(options.headFile),
    signer,
    clock: systemClock,
    onGap: (gap) => tell({ news: 'gap', gap }),
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
