import { setTimeout as pause } from 'node:timers/promises'
import { requestNextLogKey, SequencerStore, sequencerOf, withAuditLog } from '@wardline/server/operations'
import { Command } from 'commander'
import { CliError } from '../cli-error.ts'

/** Whoever leads looks for another key every second. */
const POLL_MS = 250
const DEADLINE_MS = 30_000

/** `wardline audit rotate-key` */
export function rotateKeyCommand(): Command {
  return new Command('rotate-key')
    .description(
      'Have the log signed with a new key from now on. Both keys say so in the log; the old one is destroyed. Who holds the old public key\nstill verifies all of it; give out the new one (printed here) all the same.',
    )
    .action(() =>
      withAuditLog(async (log) => {
        const vkey = await requestNextLogKey(log)
        // A server that runs takes the key up by itself; without one, this process leads for the moment that it takes.
        const own = sequencerOf(log, () => undefined)
        const store = await SequencerStore.connect(log.databaseUrl)
        try {
          for (const until = Date.now() + DEADLINE_MS; (await store.readHead())?.vkey !== vkey; ) {
            await own.step()
            if (own.state.is === 'refused') throw new CliError(`the log is not gone on with: ${own.state.reason}`)
            if (Date.now() > until)
              throw new CliError('nobody has taken the key up yet: it is done when the log is written again.')
            await pause(POLL_MS)
          }
        } finally {
          await own.close()
          await store.close()
        }
        process.stdout.write(`${vkey}\n`)
      }),
    )
}
