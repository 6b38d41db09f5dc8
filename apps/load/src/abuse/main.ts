import { parseArgs } from 'node:util'
import { pinGenerator } from '../processes.ts'
import { hasHeld, renderAbuse } from './report.ts'
import { runAbuse } from './run.ts'

const HELP = `Usage: npm run abuse [-- --scale SHARE] [--seconds N] [--json]

Attacks a Wardline of its own on this machine, one kind of attack after the other, while people who are signed in post and read:
silent connections, slow headers, fragments, pings, half-open closes, noise, readers that freeze. Prints what was tried, what
those people noticed, and whether the server came to rest again. Ends with 1 where it did not.

Options
  --scale SHARE   of each attack's connections, 0 to 1 (default 1: 10,000 silent connections, which takes \`ulimit -n\` 12000)
  --seconds N     how long each phase is measured (default 6)
  --json          print the figures as JSON
  --help          print this
`

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '6' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const scale = Number(values.scale)
const seconds = Number(values.seconds)
if (values.help) process.stdout.write(HELP)
else if (!(scale > 0 && scale <= 1) || !(seconds > 0)) {
  process.stderr.write(HELP)
  process.exitCode = 2
} else {
  pinGenerator()
  const progress = (text: string) => void process.stderr.write(`${text}\n`)
  const report = await runAbuse({ scale, seconds, progress })
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : renderAbuse(report))
  process.exitCode = hasHeld(report) ? 0 : 1
}
