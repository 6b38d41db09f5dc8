import { parseArgs } from 'node:util'
import { ATTACKS } from './attacks.ts'
import { runFrozen } from './frozen.ts'
import { hasHeld, hasShrugged, renderAbuse, renderFrozen } from './report.ts'
import { runAbuse } from './run.ts'

const HELP = `Usage: npm run abuse [-- --frozen] [--scale SHARE] [--seconds N] [--rounds N] [--only NAME] [--json]

Attacks a Wardline of its own on this machine, one kind of attack after the other and all of them several times, while people who are
signed in post and read: silent connections, slow headers, fragments, pings, half-open closes, noise. Prints what was tried, what
those people noticed, and whether the server came to rest again. Each attack is made on another server as well, which nobody uses: what
it costs this machine is not what it costs the server. Ends with 1 where the p99 more than doubled beside that, or anything else was wrong.

Options
  --frozen        instead: one reader of 2,000 stops reading, again and again, and what the others notice
  --scale SHARE   of the connections, 0 to 1 (default 1: 10,000 silent connections, which takes \`ulimit -n\` 12000)
  --seconds N     how long each phase is measured (default 8: in a few seconds, one collection of garbage is the p99)
  --rounds N      how often each attack is made (default 3)
  --only NAME     the attacks whose name holds this, and no other
  --json          print the figures as JSON
  --help          print this
`

const { values } = parseArgs({
  options: {
    frozen: { type: 'boolean', default: false },
    scale: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const scale = Number(values.scale)
const seconds = Number(values.seconds)
const rounds = Number(values.rounds)
const attacks = ATTACKS.filter(({ name }) => name.includes(values.only))
if (values.help) process.stdout.write(HELP)
else if (!(scale > 0 && scale <= 1) || !(seconds > 0) || !(rounds >= 1) || attacks.length === 0) {
  process.stderr.write(HELP)
  process.exitCode = 2
} else {
  const progress = (text: string) => void process.stderr.write(`${text}\n`)
  const options = { scale, seconds, progress }
  if (values.frozen) {
    const report = await runFrozen(options)
    print(report, renderFrozen(report), hasShrugged(report))
  } else {
    const report = await runAbuse({ ...options, rounds, attacks })
    print(report, renderAbuse(report), hasHeld(report))
  }
}

function print(report: object, text: string, held: boolean): void {
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : text)
  process.exitCode = held ? 0 : 1
}
