import { Worker } from 'node:worker_threads'
import type { Logger } from '../../log.ts'
import type { WriterGap } from './places.ts'
import type { RunOptions, SequencerNews } from './run.ts'
import type { SequencerState } from './sequencer.ts'

/** The sequencer of this process, on a thread of its own. */
export type EmbeddedSequencer = { readonly state: SequencerState; stop(): Promise<void> }

/** How long a stop waits for the last look, in milliseconds; what it leaves is taken up by the next start. */
const STOP_MS = 5_000
/** What lives for one look only is not to outlive a collection, which would cost the cores that the sockets are served from. */
const YOUNG_MIB = 64

export function startEmbeddedSequencer(
  options: RunOptions,
  log: Logger,
  on: { readonly onGap: (gap: WriterGap) => void; readonly onKey: () => void },
): EmbeddedSequencer {
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MIB }
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: options,
    name: 'audit-log',
    resourceLimits,
  })
  let state: SequencerState = { is: 'standby' }
  const over = new Promise<void>((resolve) => worker.once('exit', () => resolve()))

  worker.on('message', (news: SequencerNews) => {
    if (news.news === 'state') {
      if (news.state.is !== state.is) tellChange(log, news.state)
      state = news.state
    } else {
      tellNews(log, news)
      if (news.news === 'gap') on.onGap(news.gap)
      if (news.news === 'key') on.onKey()
    }
  })
  worker.on('error', (error) => {
    state = { is: 'failing', reason: 'its thread ended' }
    log.error('audit-log.crashed', { error })
  })

  return {
    get state() {
      return state
    },
    async stop() {
      worker.postMessage('stop')
      const late = setTimeout(() => void worker.terminate(), STOP_MS)
      await over
      clearTimeout(late)
    },
  }
}

function tellNews(log: Logger, news: Exclude<SequencerNews, { news: 'state' }>): void {
  if (news.news === 'gap') {
    const { writer, found, expected } = news.gap
    log.error('audit-log.writer-gap', { name: writer, count: found - expected })
  } else if (news.news === 'key') {
    log.warn('audit-log.key-changed', {})
  } else if (news.state.is === 'cosigning') {
    log.info('audit-log.witness-cosigning', { name: news.witness })
  } else if (news.state.is === 'ahead') {
    log.error('audit-log.witness-ahead', { name: news.witness, count: news.state.size })
  } else {
    log.warn(`audit-log.witness-${news.state.is}`, { name: news.witness, reason: news.state.reason })
  }
}

function tellChange(log: Logger, state: SequencerState): void {
  if (state.is === 'refused') log.error('audit-log.refused', { reason: state.reason })
  else if (state.is === 'failing') log.warn('audit-log.failing', { reason: state.reason })
  else log.info(`audit-log.${state.is}`, {})
}
