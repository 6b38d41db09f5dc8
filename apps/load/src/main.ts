import { parseArgs } from 'node:util'
import { renderAuditCost, runAuditCost } from './audit-cost.ts'
import { pinGenerator } from './processes.ts'
import { renderRenewal, runRenewal } from './renewal.ts'
import { renderReport } from './report.ts'
import { keptPromise, renderRevocation, runRevocation } from './revocation.ts'
import { keptStormPromise, renderStorm, runStorm } from './storm.ts'
import { runWorkload, WORKLOADS, type WorkloadName } from './workloads.ts'

const HELP = `Usage: npm run load -- WORKLOAD [--rounds N] [--seconds N] [--json]

Puts a load on Wardline and on the bare-socket floor in one run, sides alternating, and prints both with their ratio.

Workloads
${Object.entries(WORKLOADS)
  .map(([name, { about }]) => `  ${name}   ${about}`)
  .join('\n')}
  audit   S with and without the audit: its share of the hot path, and how soon an event is under a signed checkpoint

  revocation   335 sockets on two nodes, 200 posts/s: from the request to the last byte, with the bus and without
  renewal      two people, tokens of 20 s, 50 posts/s for --seconds (60 is three tokens each; 1800 the half hour of R-17)
  storm        2,000 sockets lose their node at once and come back to the other one, while people post and sign in

Options
  --rounds N    how often each phase is run on each side; the report gives medians (default 3)
  --seconds N   how long a phase posts (default 5)
  --json        print the figures as JSON instead of tables
  --help        print this
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const name = positionals[0]?.toLowerCase() ?? ''
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
if (values.help) process.stdout.write(HELP)
else if (
  !(name in WORKLOADS || ['audit', 'revocation', 'renewal', 'storm'].includes(name)) ||
  !Number.isInteger(rounds) ||
  rounds < 1 ||
  !(seconds > 0)
) {
  process.stderr.write(HELP)
  process.exitCode = 2
} else {
  pinGenerator()
  const progress = (text: string) => void process.stderr.write(`${text}\n`)
  if (name === 'audit') {
    const costs = await runAuditCost({ rounds, seconds, progress })
    process.stdout.write(values.json ? `${JSON.stringify(costs, null, 2)}\n` : renderAuditCost(costs))
  } else if (name === 'renewal') {
    const run = await runRenewal(seconds, progress)
    process.stdout.write(values.json ? `${JSON.stringify(run, null, 2)}\n` : renderRenewal(run))
    if (run.wrong + run.dropped + run.posts - run.accepted > 0) process.exitCode = 1
  } else if (name === 'storm') {
    const storms = await runStorm(rounds, progress)
    process.stdout.write(values.json ? `${JSON.stringify(storms, null, 2)}\n` : renderStorm(storms))
    if (!keptStormPromise(storms)) process.exitCode = 1
  } else if (name === 'revocation') {
    const results = await runRevocation(progress)
    process.stdout.write(values.json ? `${JSON.stringify(results, null, 2)}\n` : renderRevocation(results))
    if (!keptPromise(results)) process.exitCode = 1
  } else {
    const result = await runWorkload(name as WorkloadName, { rounds, seconds, progress })
    process.stdout.write(values.json ? `${JSON.stringify(result, null, 2)}\n` : renderReport(result))
  }
}
