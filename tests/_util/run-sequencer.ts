// A sequencer in a process of its own, to be killed: its options come as JSON, and it says on a line when it leads.
import { type RunOptions, runSequencer, sequencerOf } from '../../apps/server/src/audit/sequencer/run.ts'

const [json = '{}'] = process.argv.slice(2)
const tell = (news: unknown) => process.stdout.write(`${JSON.stringify(news)}\n`)
runSequencer(sequencerOf(JSON.parse(json) as RunOptions, tell), tell)
