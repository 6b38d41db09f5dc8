import { Command, CommanderError } from 'commander'
import { importCommand } from './import.ts'
import { CliError } from './cli-error.ts'

/** `wardline`: what an operator does at the machine. Exit codes: 0 done, 1 refused or failed, 2 a wrong command line. */
const program = new Command('wardline')
  .description('Operate a Wardline installation. Reads the same environment as the server (.env.example).')
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })
  .addCommand(importCommand())

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else {
    process.stderr.write(
      `wardline: ${error instanceof CliError ? error.message : 'failed for a reason nobody foresaw'}\n`,
    )
    if (!(error instanceof CliError)) process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : ''}\n`)
    process.exitCode = 1
  }
}
