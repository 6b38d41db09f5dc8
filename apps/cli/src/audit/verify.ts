import { readFile, stat } from 'node:fs/promises'
import { compareDatabase, SequencerStore, withAuditLog } from '@wardline/server/operations'
import {
  describeFinding,
  FINDING_KINDS,
  type FindingKind,
  type VerifyReport,
  verifyLog,
} from '@wardline/transparency-log'
import { directoryStore } from '@wardline/transparency-log/directory-store'
import { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { type LogTrust, trustOf } from './keys.ts'
import { progressLine } from './progress.ts'

/** By what is found first in FINDING_KINDS, which begins with what tells most. Below 10 are the codes of every command. */
const EXIT_CODES: Readonly<Record<FindingKind, number>> = {
  changed: 10,
  missing: 11,
  reordered: 12,
  truncated: 13,
  forked: 14,
  'bad-signature': 15,
  'writer-gap': 16,
  stale: 17,
}
/** Sentences that are printed; more are counted. */
const MAX_SENTENCES = 20

const HELP = `
Checks that every entry is the one that was signed, that none is missing, moved or put in, and that each writer's numbers run on. Needs the
folder and the public key, no database and no network.

Exit code: 0 all is as it was signed; 1 it could not be checked; 2 a wrong command line; otherwise the gravest finding:
${FINDING_KINDS.map((kind) => `  ${EXIT_CODES[kind]} ${kind}`).join('\n')}

  wardline audit verify ./audit-log --vkey log.vkey --since last-month.checkpoint
  wardline audit verify --database`

type Options = { vkey: string[]; since: string[]; maxAge?: number; database?: true }

/** `wardline audit verify [DIR] [--vkey KEY] [--since FILE] [--max-age SECONDS] [--database]` */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('Check an audit log, alone and offline')
    .argument('[dir]', "the folder of the log; without it this machine's own")
    .option('--vkey <key>', "the log's public key, or a file with it; may be given again for former keys", gather, [])
    .option(
      '--since <file>',
      'a checkpoint kept from earlier, which the log must still extend; may be repeated',
      gather,
      [],
    )
    .option('--max-age <seconds>', 'how old the last sign of life may be; not looked at by default', seconds)
    .option('--database', "also compare this installation's database with its log, row by row")
    .addHelpText('after', HELP)
    .action(runVerify)
}

async function runVerify(dir: string | undefined, options: Options): Promise<void> {
  const trust = await trustOf(options.vkey, dir)
  if (!(await stat(trust.dir).catch(() => undefined))?.isDirectory()) {
    throw new CliError(`${trust.dir}: there is no such folder.`)
  }
  const report = await verify(trust, options)
  const found = report.findings.map((finding) => ({ kind: finding.kind, sentence: describeFinding(finding) }))
  if (options.database === true && report.head !== undefined) found.push(...(await compare(trust, report.head.size)))
  print(report, found)
  const gravest = FINDING_KINDS.find((kind) => found.some((each) => each.kind === kind))
  process.exitCode = gravest === undefined ? 0 : EXIT_CODES[gravest]
}

async function verify({ origin, logKeys, dir }: LogTrust, { since, maxAge }: Options): Promise<VerifyReport> {
  const known = await Promise.all(since.map(readCheckpoint))
  const progress = progressLine('verifying')
  try {
    return await verifyLog(directoryStore(dir), {
      origin,
      logKeys,
      known,
      now: Date.now(),
      onProgress: progress.show,
      ...(maxAge === undefined ? {} : { maxHeartbeatAgeMs: maxAge * 1000 }),
    })
  } finally {
    progress.end()
  }
}

async function compare({ logKeys, dir }: LogTrust, size: number): Promise<{ kind: FindingKind; sentence: string }[]> {
  return withAuditLog(async ({ databaseUrl }) => {
    const store = await SequencerStore.connect(databaseUrl)
    const progress = progressLine('comparing the database')
    const [logKey] = logKeys
    if (logKey === undefined) return []
    try {
      const tiles = directoryStore(dir)
      const { findings } = await compareDatabase({ store, tiles, size, logKey, onProgress: progress.show })
      return findings.map(({ kind, where, sentence }) => ({ kind, sentence: `${where}: ${sentence}.` }))
    } finally {
      progress.end()
      await store.close()
    }
  })
}

async function readCheckpoint(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new CliError(`${file}: there is no such checkpoint, or it cannot be read.`, { cause: error })
  }
}

function print(report: VerifyReport, found: readonly { kind: FindingKind; sentence: string }[]): void {
  for (const { index, void: lost } of report.voids) {
    const sentence = `entry ${index} says that numbers ${lost.first} to ${lost.last} of writer ${lost.writer} are lost`
    process.stdout.write(`void: ${sentence} (${lost.reason}).\n`)
  }
  for (const { kind, sentence } of found.slice(0, MAX_SENTENCES)) process.stdout.write(`${kind}: ${sentence}\n`)
  const rest = found.length - MAX_SENTENCES + report.findingsDropped
  if (rest > 0) process.stdout.write(`and ${rest} more\n`)
  const { head, entries, writers } = report
  const last = report.lastHeartbeatAt === undefined ? 'never' : new Date(report.lastHeartbeatAt).toISOString()
  const all = `${entries} entries of ${writers} writers, last sign of life ${last}`
  if (found.length === 0) process.stdout.write(`ok: ${all}; root ${base64(head?.root)}\n`)
  else process.stdout.write(`NOT as it was signed: ${found.length} findings; ${all}\n`)
}

function base64(root: Uint8Array | undefined): string {
  return root === undefined ? 'none' : Buffer.from(root).toString('base64')
}

function gather(value: string, before: string[]): string[] {
  return [...before, value]
}

function seconds(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new CliError('--max-age takes a whole number of seconds.')
  return Number(value)
}
