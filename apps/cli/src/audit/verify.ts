import { readFile, writeFile } from 'node:fs/promises'
import { CompareStore, compareDatabase, withAuditLog } from '@wardline/server/operations'
import {
  describeFinding,
  FINDING_KINDS,
  type FindingKind,
  formatVerified,
  overlay,
  type Pruned,
  parseVerified,
  readPruned,
  type VerifyReport,
  verifyLog,
} from '@wardline/transparency-log'
import { directoryStore } from '@wardline/transparency-log/directory-store'
import { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { keyOf, type LogTrust, trustOf } from './keys.ts'
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

  wardline audit verify ./audit-log --vkey log.vkey --keep november.verified
  wardline audit verify ./audit-log --vkey log.vkey --since november.verified --keep december.verified
  wardline audit verify ./audit-log --vkey log.vkey --witness w1.vkey --witness w2.vkey --quorum 1
  wardline audit verify --database`

type Options = {
  vkey: string[]
  since?: string
  extends: string[]
  keep?: string
  witness: string[]
  quorum?: number
  maxAge?: number
  archive: string[]
  strict?: true
  database?: true
}

/** `wardline audit verify [DIR] …`: see {@link HELP} */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('Check an audit log, alone and offline')
    .argument('[dir]', "the folder of the log; without it this machine's own")
    .option(
      '--vkey <key>',
      "the log's public key, or a file with it; from it the log leads to those before and after it",
      gather,
      [],
    )
    .option('--since <file>', 'what an earlier --keep wrote, or its checkpoint: read only what came after it')
    .option('--keep <file>', 'where nothing is found, write what the next verification can go on from')
    .option('--extends <file>', 'a checkpoint kept from earlier, which the log must still extend', gather, [])
    .option('--witness <key>', "a witness' public key, or a file with it; may be repeated", gather, [])
    .option('--quorum <n>', 'how many of them must have cosigned the log; by default all of them', whole)
    .option('--max-age <seconds>', 'how old the last sign of life may be; not looked at by default', whole)
    .option('--archive <dir>', 'an archive of entries that were purged: read them there; may be repeated', gather, [])
    .option('--strict', 'count numbers that the log itself declares void as gaps')
    .option('--database', "also compare this installation's database with its log, row by row")
    .addHelpText('after', HELP)
    .action(runVerify)
}

async function runVerify(dir: string | undefined, options: Options): Promise<void> {
  const trust = await trustOf(options.vkey, dir)
  const { report, pruned } = await verify(trust, options)
  const found = report.findings.map((finding) => ({ kind: finding.kind, sentence: describeFinding(finding) }))
  if (options.database === true && report.head !== undefined) found.push(...(await compare(trust, report)))
  if (options.strict === true)
    found.push(...report.voids.map((one) => ({ kind: 'writer-gap' as const, sentence: voidSentence(one) })))
  for (const { vkey } of report.logKeys.filter((key) => !trust.logKeys.includes(key))) {
    process.stdout.write(`key: the log itself leads from the key that is trusted to ${vkey}\n`)
  }
  if (pruned !== undefined) process.stdout.write(prunedSentence(pruned))
  print(report, found)
  if (options.keep !== undefined && report.verified !== undefined && found.length === 0) {
    await writeFile(options.keep, formatVerified(report.verified))
  }
  const gravest = FINDING_KINDS.find((kind) => found.some((each) => each.kind === kind))
  process.exitCode = gravest === undefined ? 0 : EXIT_CODES[gravest]
}

async function verify(
  { origin, logKeys, store }: LogTrust,
  options: Options,
): Promise<{ report: VerifyReport; pruned: Pruned | undefined }> {
  const { since, maxAge, witness, quorum } = options
  const known = await Promise.all(options.extends.map(readCheckpoint))
  const keys = await Promise.all(witness.map(keyOf))
  const threshold = quorum ?? keys.length
  if (threshold > keys.length) throw new CliError(`--quorum ${threshold}: ${keys.length} witnesses are named.`)
  const progress = progressLine('verifying')
  try {
    const log = overlay([store, ...options.archive.map((each) => directoryStore(each))])
    // What was purged on purpose may be missing, where no archive is brought along: its hashes are held against the roots all the same.
    const pruned = options.archive.length > 0 ? undefined : await readPruned(log, origin, logKeys)
    const report = await verifyLog(log, {
      origin,
      logKeys,
      known,
      witnesses: { keys, threshold },
      ...(since !== undefined && { since: parseVerified(await readCheckpoint(since)) }),
      now: Date.now(),
      ...(pruned === undefined ? {} : { minimumIndex: pruned.index }),
      onProgress: progress.show,
      ...(maxAge === undefined ? {} : { maxHeartbeatAgeMs: maxAge * 1000 }),
    })
    return { report, pruned }
  } finally {
    progress.end()
  }
}

async function compare(
  { store: tiles, origin }: LogTrust,
  { head, logKeys }: VerifyReport,
): Promise<{ kind: FindingKind; sentence: string }[]> {
  return withAuditLog(async ({ databaseUrl }) => {
    const store = await CompareStore.connect(databaseUrl)
    const progress = progressLine('comparing the database')
    try {
      const { findings } = await compareDatabase({
        store,
        tiles,
        size: head?.size ?? 0,
        logKeys,
        pruned: await readPruned(tiles, origin, logKeys),
        onProgress: progress.show,
      })
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
  for (const one of report.voids) process.stdout.write(`void: ${voidSentence(one)}\n`)
  for (const { kind, sentence } of found.slice(0, MAX_SENTENCES)) process.stdout.write(`${kind}: ${sentence}\n`)
  const rest = found.length - MAX_SENTENCES + report.findingsDropped
  if (rest > 0) process.stdout.write(`and ${rest} more\n`)
  const { head, entries, writers } = report
  const never = report.from > 0 ? 'none since' : 'never'
  const last = report.lastHeartbeatAt === undefined ? never : new Date(report.lastHeartbeatAt).toISOString()
  const all = `${entries} entries${report.from > 0 ? ` since entry ${report.from}` : ''} of ${writers} writers, last sign of life ${last}`
  process.stdout.write(witnessSentence(report))
  if (found.length === 0) process.stdout.write(`ok: ${all}; root ${base64(head?.root)}\n`)
  else process.stdout.write(`NOT as it was signed: ${found.length} findings; ${all}\n`)
}

/** What is not read has to be said: an "ok" is not about these entries, but about their hashes. */
function prunedSentence({ index, before }: Pruned): string {
  const month = new Date(before).toISOString().slice(0, 7)
  return `purged: entries below ${index} were archived and taken away (events before ${month}), as the log's key has signed; their hashes were checked. --archive reads them too\n`
}

function voidSentence({ index, void: lost }: VerifyReport['voids'][number]): string {
  return `entry ${index} says that numbers ${lost.first} to ${lost.last} of writer ${lost.writer} are lost (${lost.reason}).`
}

function witnessSentence({ head, witnessed }: VerifyReport): string {
  if (witnessed === undefined) return ''
  const behind = (head?.size ?? 0) - witnessed.size
  const since = behind > 0 ? `; the last ${behind} entries they have not` : ''
  return `cosigned by ${witnessed.by.join(', ')} at ${new Date(witnessed.at * 1000).toISOString()}${since}\n`
}

function base64(root: Uint8Array | undefined): string {
  return root === undefined ? 'none' : Buffer.from(root).toString('base64')
}

function gather(value: string, before: string[]): string[] {
  return [...before, value]
}

function whole(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new CliError('--max-age and --quorum take a whole number.')
  return Number(value)
}
