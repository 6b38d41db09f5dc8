import { parentPort, workerData } from 'node:worker_threads'
import { type RunOptions, runSequencer, type SequencerNews, sequencerOf } from './run.ts'

/** The thread of the embedded sequencer: hashing and files away from the loop that serves the sockets. */
const tell = (news: SequencerNews) => parentPort?.postMessage(news)
const running = runSequencer(sequencerOf(workerData as RunOptions, tell), tell)
parentPort?.once('message', () => {
  void running.stop().finally(() => parentPort?.close())
})
