import { mkdir, readdir } from 'node:fs/promises'
import {
  type AuditRetention,
  archiveAudit,
  type Purged,
  purgeAudit,
  RetentionRefused,
  withAuditRetention,
} from '@wardline/server/operations'
import { readPruned } from '@wardline/transparency-log'
import { directoryStore } from '@wardline/transparency-log/directory-store'
import { Command } from 'commander'
import { CliError } from '../cli-error.ts'

const MONTH = /^(\d{4})-(0[1-9]|1[0-2])$/

/** `wardline audit archive --before YYYY-MM DIR` and `wardline audit purge --before YYYY-MM --archive DIR` */
export function retentionCommands(): Command[] {
  const archive = new Command('archive')
    .description(
      'Copy the log with every event before a month into a folder: a log of its own, to be verified like any other',
    )
    .argument('<dir>', 'an empty folder; or one in which an archive of the same month was broken off')
    .requiredOption('--before <month>', 'YYYY-MM, in UTC', monthOf)
    .action((dir: string, { before }: { before: number }) => retaining((parts) => runArchive(parts, dir, before)))
  const purge = new Command('purge')
    .description(
      'Take away what is before a month, past its retention, under no hold, and in the archive: from the database and from the log’s\nfolder. The hashes stay, and the log verifies as before',
    )
    .requiredOption('--before <month>', 'YYYY-MM, in UTC', monthOf)
    .requiredOption('--archive <dir>', 'the archive that holds it')
    .option('--dry-run', 'only say what would go')
    .action((options: { before: number; archive: string; dryRun?: true }) =>
      retaining((parts) => runPurge(parts, options)),
    )
  return [archive, purge]
}

async function runArchive(
  { store, database, origin, log, signer }: AuditRetention,
  dir: string,
  before: number,
): Promise<void> {
  await mkdir(dir, { recursive: true })
  const pruned = await readPruned(log, origin, [signer.verifier])
  const from = pruned?.index ?? 0
  const { size } = await archiveAudit({ store, database, log, archive: directoryStore(dir), before, from })
  process.stdout.write(`${dir}: entries ${from} to ${size}. Verify it, and keep it where the log is not kept:\n`)
  process.stdout.write(`  wardline audit verify ${dir} --vkey log.vkey\n`)
}

async function runPurge(
  { store, database, origin, log, logDir, signer }: AuditRetention,
  { before, archive, dryRun }: { before: number; archive: string; dryRun?: true },
): Promise<void> {
  if ((await readdir(archive).catch(() => [])).length === 0) throw new CliError(`${archive}: there is no archive.`)
  const logKeys = [signer.verifier]
  const parts = { store, database, origin, signer, logKeys, log, logDir, archiveDir: archive }
  print(await purgeAudit({ ...parts, before, now: Date.now(), dryRun }), dryRun === true)
}

function print({ months, events, pruned, kept }: Purged, isDry: boolean): void {
  const verb = isDry ? 'would go' : 'gone'
  if (pruned === null) process.stdout.write('nothing to take away\n')
  else {
    const until = new Date(pruned.before).toISOString().slice(0, 10)
    process.stdout.write(
      `${verb}: ${months.length} parts with ${events} events before ${until}, entries below ${pruned.index}\n`,
    )
  }
  if (kept === null) return
  const { month, why } = kept
  const until = new Date(month.until).toISOString().slice(0, 10)
  const because =
    why.why === 'retention'
      ? `organisation ${why.tenant} keeps its audit for ${why.years} years`
      : `a legal hold of organisation ${why.tenant}${why.patient === null ? '' : ` on patient ${why.patient}`}`
  process.stdout.write(`kept: what is before ${until}, because of ${because}\n`)
}

async function retaining(run: (parts: AuditRetention) => Promise<void>): Promise<void> {
  try {
    await withAuditRetention(run)
  } catch (error) {
    if (error instanceof RetentionRefused) throw new CliError(error.message, { cause: error })
    throw error
  }
}

/** The beginning of a month in UTC, epoch milliseconds. */
function monthOf(text: string): number {
  const [, year, month] = MONTH.exec(text) ?? []
  if (year === undefined || month === undefined) throw new CliError(`"${text}" is no month: YYYY-MM.`)
  return Date.UTC(Number(year), Number(month) - 1, 1)
}
