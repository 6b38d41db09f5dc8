import { ConfigError, loadConfig } from './config.ts'
import { StartError } from './errors.ts'
import { RootKeyError } from './keys/root-key.ts'
import { type RunningServer, startServer } from './server.ts'
import { DatabaseRefused } from './storage/errors.ts'
import { startedMessage } from './terminal.ts'

/** EX_CONFIG of sysexits.h: a supervisor need not try again before somebody has changed something. */
const EXIT_CONFIG = 78

async function main(): Promise<void> {
  const server = await startServer(loadConfig())
  process.stdout.write(`${startedMessage(server)}\n`)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(server))
  process.on('SIGHUP', () => void server.reloadCertificate())
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      server.ctx.log.error('server.crashed', { error })
      process.exit(70)
    })
  }
}

async function stop(server: RunningServer): Promise<void> {
  await server.stop().catch((error: unknown) => server.ctx.log.error('server.stop-failed', { error }))
  process.exit(0)
}

main().catch((error: unknown) => {
  const isOurs = error instanceof StartError || error instanceof DatabaseRefused || error instanceof RootKeyError
  if (error instanceof ConfigError) {
    process.stderr.write(`${error.problems.map((problem) => `wardline: ${problem}`).join('\n')}\n`)
    process.exit(EXIT_CONFIG)
  }
  process.stderr.write(
    isOurs ? `wardline: ${error.message}\n` : `wardline: ${String(error instanceof Error ? error.stack : error)}\n`,
  )
  process.exit(1)
})
