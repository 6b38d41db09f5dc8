import { loadConfig } from './config.ts'
import { type RunningServer, startServer } from './server.ts'
import { type Ending, endingOf, endingOfArguments } from './start-problem.ts'
import { startedMessage } from './terminal.ts'

async function main(): Promise<void> {
  const ending = endingOfArguments(process.argv.slice(2))
  if (ending !== null) return end(ending)
  const server = await startServer(loadConfig())
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(server))
  // npm start holds a channel to us. Its end means that whoever could stop us is gone, killed perhaps.
  process.once('disconnect', () => void stop(server))
  if (process.send !== undefined && !process.connected) return stop(server)
  process.on('SIGHUP', () => void server.reloadCertificate())
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      server.ctx.log.error('server.crashed', { error })
      process.exit(70)
    })
  }
  // Last, for whoever waits for it may stop the server at once.
  process.stdout.write(`${startedMessage(server)}\n`)
}

async function stop(server: RunningServer): Promise<void> {
  await server.stop().catch((error: unknown) => server.ctx.log.error('server.stop-failed', { error }))
  process.exit(0)
}

function end({ lines, exitCode, to }: Ending): never {
  const said = to === 'out' ? process.stdout : process.stderr
  said.write(lines.map((line) => (to === 'out' ? `${line}\n` : `wardline: ${line}\n`)).join(''))
  process.exit(exitCode)
}

main().catch((error: unknown) => end(endingOf(error)))
