#!/usr/bin/env node
import { OperationRefused } from '@wardline/server/operations'
import { Command, CommanderError } from 'commander'
import { auditCommand } from './audit/audit.ts'
import { CliError } from './cli-error.ts'
import { drillCommand } from './drill.ts'
import { factorsCommand } from './factors.ts'
import { importCommand } from './import.ts'
import { keysCommand } from './keys.ts'
import { peopleCommand } from './people.ts'
import { sequencerCommand } from './sequencer.ts'
import { sessionsCommand } from './sessions.ts'
import { tenantCommand } from './tenant.ts'
import { witnessCommand } from './witness.ts'

/** `wardline`: what an operator does at the machine. Exit codes: 0 done, 1 refused or failed, 2 a wrong command line; `audit verify` has more. */
const program = new Command('wardline')
  .description('Operate a Wardline installation. Reads the same environment as the server (.env.example).')
  .configureHelp({ showGlobalOptions: true })
  .addCommand(tenantCommand())
  .addCommand(importCommand())
  .addCommand(keysCommand())
  .addCommand(sessionsCommand())
  .addCommand(factorsCommand())
  .addCommand(peopleCommand())
  .addCommand(auditCommand())
  .addCommand(sequencerCommand())
  .addCommand(drillCommand())
  .addCommand(witnessCommand())

throwInsteadOfExit(program)
try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else {
    const isForeseen = error instanceof CliError || error instanceof OperationRefused
    const lines = isForeseen ? error.message.split('\n') : ['failed for a reason nobody foresaw']
    process.stderr.write(`${lines.map((line) => `wardline: ${line}`).join('\n')}\n`)
    if (!isForeseen) process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : ''}\n`)
    process.exitCode = 1
  }
}

/** A wrong command line is thrown by every command and not only by the first: one that exits by itself leaves things open. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride()
  for (const each of command.commands) throwInsteadOfExit(each)
}
