import { setTimeout as sleep } from 'node:timers/promises'
import {
  DRILL_TENANT,
  INCIDENTS,
  type Incident,
  localServer,
  NotStaged,
  openStage,
  type Stage,
  type Target,
  withInstallation,
} from '@wardline/server/operations'
import { Command } from 'commander'
import { CliError } from './cli-error.ts'

/** Between two looks whether an alarm has rung. */
const LOOK_MS = 250

const HELP = `
Stages an incident of each kind against a running server, with accounts made for it, and checks that each alarm rings. Run it at the machine,
with the environment of the server. It works in an organisation of its own ("${DRILL_TENANT}"), made at the first drill; in a demonstration also in
another, where people can see the alerts. Some refusals are counted and written once a minute, so a drill takes about that long. audit-gap and
audit-stalled are not staged: that would harm the log itself.

Exit code: 0 all rang; 1 an alarm did not ring, or could not be staged; 2 a wrong command line.

  wardline drill
  wardline drill --tenant riverside --keep
  wardline drill --only proof-replay,refresh-reuse --within 10`

type Options = { tenant: string; within: number; only?: string[]; keep?: true; url?: string }

type Result = Incident & { readonly ms: number | null; readonly severity: string; readonly problem: string | null }

/** `wardline drill [--tenant SLUG] [--within SECONDS] [--only KINDS] [--keep] [--url URL]` */
export function drillCommand(): Command {
  return new Command('drill')
    .description('Stage an incident of each kind, and check that each alarm rings')
    .option('--tenant <slug>', 'where; another than the drills’ own in a demonstration alone', DRILL_TENANT)
    .option('--within <seconds>', 'how soon each alarm has to ring', seconds, 90)
    .option('--only <kinds>', 'these kinds alone, separated by commas', kinds)
    .option('--keep', 'leave the alerts open, to be looked at')
    .option('--url <url>', "the server's address, where it is not the one of the configuration")
    .addHelpText('after', HELP)
    .action(runDrill)
}

async function runDrill({ tenant, within, only, keep, url }: Options): Promise<void> {
  const local = localServer()
  if (tenant !== DRILL_TENANT && !local.demo) {
    throw new CliError(
      `drills are in the organisation ${DRILL_TENANT} alone, but in a demonstration: leave out --tenant.`,
    )
  }
  const target = { url: url ?? local.url, ca: local.ca }
  const chosen = INCIDENTS.filter(({ kind }) => only === undefined || only.includes(kind))
  const results = await withInstallation(async (installation) => {
    const stage = await openStage(installation, tenant)
    if (stage === null) throw new CliError(`there is no organisation ${tenant}.`)
    try {
      return await stageAll(stage, target, chosen, within * 1000)
    } finally {
      await stage.setWorkingHours(null)
      await stage.end(keep === true)
    }
  })
  process.stdout.write(tableOf(results))
  const failed = results.filter(({ ms }) => ms === null)
  process.stdout.write(
    failed.length === 0
      ? `ok: ${results.length} alarms rang within ${within} s\n`
      : `NOT all rang: ${failed.map(({ kind }) => kind).join(', ')}\n`,
  )
  process.exitCode = failed.length === 0 ? 0 : 1
}

/** Stages one after the other; what counts is the time from the end of each until its alarm. */
async function stageAll(stage: Stage, target: Target, incidents: readonly Incident[], withinMs: number) {
  const results: Promise<Result>[] = []
  for (const incident of incidents) {
    const begun = Date.now()
    try {
      const about = await incident.stage(stage, target)
      results.push(ring(stage, incident, about, { begun, done: Date.now(), withinMs }))
    } catch (error) {
      if (!(error instanceof NotStaged) && !isUnreachable(error)) throw error
      const problem = error instanceof NotStaged ? error.message : `no server answers at ${target.url}`
      results.push(Promise.resolve({ ...incident, ms: null, severity: '', problem }))
    }
  }
  return Promise.all(results)
}

type Times = { readonly begun: number; readonly done: number; readonly withinMs: number }

async function ring(stage: Stage, incident: Incident, about: string | null, times: Times): Promise<Result> {
  for (;;) {
    const rung = await stage.rungSince(times.begun)
    const mine = rung.find(({ kind, user }) => kind === incident.kind && (about === null || user === about))
    if (mine !== undefined) {
      return { ...incident, ms: Math.max(0, mine.at - times.done), severity: mine.severity, problem: null }
    }
    if (Date.now() - times.done > times.withinMs) {
      return { ...incident, ms: null, severity: '', problem: `silent after ${times.withinMs / 1000} s` }
    }
    await sleep(LOOK_MS)
  }
}

function tableOf(results: readonly Result[]): string {
  const rows = results.map(({ kind, what, ms, severity, problem }) => [
    kind,
    problem ?? `rang after ${((ms ?? 0) / 1000).toFixed(1)} s`,
    severity,
    what,
  ])
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

function isUnreachable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code)
}

function seconds(value: string): number {
  if (!/^[1-9]\d{0,3}$/.test(value)) throw new CliError('--within takes a whole number of seconds, 1 to 9999.')
  return Number(value)
}

function kinds(value: string): string[] {
  const chosen = value.split(',').map((each) => each.trim())
  const known = INCIDENTS.map(({ kind }) => kind as string)
  const wrong = chosen.filter((each) => !known.includes(each))
  if (wrong.length === 0) return chosen
  throw new CliError(`--only takes some of: ${known.join(', ')}.`)
}
