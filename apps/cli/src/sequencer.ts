import { once } from 'node:events'
import { runSequencer, type SequencerNews, sequencerOf, withAuditLog } from '@wardline/server/operations'
import { Command } from 'commander'

/** `wardline sequencer`: writes the audit log, in a process of its own, until it is stopped. */
export function sequencerCommand(): Command {
  return new Command('sequencer')
    .description(
      'Write the audit log of this installation until stopped (SIGTERM, SIGINT). For servers that run with WARDLINE_SEQUENCER=off;\nof several at once one writes and the others stand by.',
    )
    .action(() =>
      withAuditLog(async (options) => {
        let last = ''
        const tell = (news: SequencerNews) => {
          const line = lineOf(news)
          if (line !== last) process.stderr.write(`wardline: ${line}\n`)
          last = line
        }
        const running = runSequencer(sequencerOf(options, tell), tell)
        await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
        await running.stop()
      }),
    )
}

function lineOf(news: SequencerNews): string {
  if (news.news === 'gap') {
    const { writer, expected, found } = news.gap
    return `numbers ${expected} to ${found - 1} of writer ${writer} were taken out of the database before they were logged`
  }
  if (news.news === 'key') return `the log is signed with another key from now on: ${news.vkey}`
  if (news.news === 'witness') return witnessLine(news.witness, news.state)
  const { state } = news
  switch (state.is) {
    case 'leading':
      return 'writing the audit log'
    case 'standby':
      return 'another process writes the audit log; standing by'
    case 'failing':
      return `the audit log cannot be written (${state.reason}); trying again`
    case 'refused':
      return `the audit log is not gone on with: ${state.reason}`
  }
}

function witnessLine(witness: string, state: Extract<SequencerNews, { news: 'witness' }>['state']): string {
  switch (state.is) {
    case 'cosigning':
      return `the witness ${witness} cosigns the log`
    case 'ahead':
      return `the witness ${witness} has seen a log of ${state.size} entries, more than there are: was it put back, or is it written twice?`
    case 'failing':
      return `the witness ${witness} does not answer (${state.reason}); asking again`
    case 'refusing':
      return `the witness ${witness} does not cosign: ${state.reason}`
  }
}
