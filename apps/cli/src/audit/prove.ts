import { readFile, writeFile } from 'node:fs/promises'
import { checkProof, parseLeaf, proveEntry, readCheckpoint, readEntries } from '@wardline/transparency-log'
import { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { keyOf, type LogTrust, trustOf } from './keys.ts'

const PLACE = /^\d{1,15}$/
const NUMBER = /^([A-Za-z0-9._:-]{1,64})\/(\d{1,15})$/

type Options = { vkey: string[]; dir?: string; out?: string }
type CheckOptions = { vkey: string[]; witness: string[] }

/** `wardline audit prove INDEX|WRITER/SEQ` and `wardline audit check PROOF ENTRY` */
export function proveCommands(): Command[] {
  const prove = new Command('prove')
    .description(
      'Write one entry and its proof (C2SP tlog-proof) to two files, for somebody who shall not see the rest',
    )
    .argument('<entry>', 'its place in the log, or writer/number as lists show it')
    .option('--dir <folder>', "the folder of the log; without it this machine's own")
    .option('--vkey <key>', "the log's public key, or a file with it", gather, [])
    .option('--out <name>', 'name of the files, without their ending; by default entry-<place>')
    .action(runProve)
  const check = new Command('check')
    .description('Check a proof against the entry that came with it. Exit code 1 when it proves nothing')
    .argument('<proof>', 'the .tlog-proof file')
    .argument('<entry>', 'the .json file')
    .requiredOption('--vkey <key>', "the log's public key, or a file with it", gather, [])
    .option(
      '--witness <key>',
      "a witness' public key, or a file with it, that must have cosigned; may be repeated",
      gather,
      [],
    )
    .action(runCheck)
  return [prove, check]
}

async function runProve(what: string, { vkey, dir, out }: Options): Promise<void> {
  const trust = await trustOf(vkey, dir)
  const index = await placeOf(what, trust)
  const { entry, file } = await proveEntry(trust.store, trust, index).catch((error: unknown) => {
    throw new CliError(`entry ${index} cannot be proved: ${error instanceof Error ? error.message : 'unknown'}.`)
  })
  const name = out ?? `entry-${index}`
  await writeFile(`${name}.json`, entry)
  await writeFile(`${name}.tlog-proof`, file)
  process.stdout.write(`${name}.json and ${name}.tlog-proof: entry ${index} is in the log.\n`)
}

/** Where an entry is. By its writer's number the log is read from its beginning: no database says where. */
async function placeOf(what: string, trust: LogTrust): Promise<number> {
  if (PLACE.test(what)) return Number(what)
  const [, writer, seq] = NUMBER.exec(what) ?? []
  if (writer === undefined) throw new CliError(`"${what}" is neither a place in the log nor writer/number.`)
  const { store } = trust
  const size = (await readCheckpoint(store, trust.origin, trust.logKeys))?.head.size ?? 0
  const tail = Buffer.from(`,"seq":${seq},"writer":"${writer}"}`)
  let index = 0
  for await (const entry of readEntries(store, size)) {
    if (entry !== undefined && tail.equals(entry.subarray(-tail.length)) && parseLeaf(entry)?.writer === writer)
      return index
    index += 1
  }
  throw new CliError(`number ${seq} of writer ${writer} is not in the log of ${size} entries.`)
}

async function runCheck(proof: string, entry: string, { vkey, witness }: CheckOptions): Promise<void> {
  const trust = await trustOf(vkey, '.')
  const files = await Promise.all([readFile(proof), readFile(entry)]).catch((error: unknown) => {
    throw new CliError('the proof or the entry cannot be read.', { cause: error })
  })
  const keys = await Promise.all(witness.map(keyOf))
  const verdict = checkProof(files[0], files[1], { ...trust, witnesses: { keys, threshold: keys.length } })
  if (!verdict.ok) throw new CliError(`this proves nothing: ${verdict.fault}.`)
  const { size } = verdict.checkpoint
  process.stdout.write(
    `ok: ${entry} is entry ${verdict.index} of a log of ${size} entries, signed by ${verdict.by.map(({ name }) => name).join(', ')}\n`,
  )
}

function gather(value: string, before: string[]): string[] {
  return [...before, value]
}
