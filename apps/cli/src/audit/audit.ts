import { localLog } from '@wardline/server/operations'
import { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { proveCommands } from './prove.ts'
import { retentionCommands } from './retention.ts'
import { rotateKeyCommand } from './rotate-key.ts'
import { verifyCommand } from './verify.ts'

/** `wardline audit verify | prove | check | vkey | rotate-key | archive | purge` */
export function auditCommand(): Command {
  const audit = new Command('audit').description(
    'The audit log: verify it, prove one entry, print or change its key, archive and purge',
  )
  audit.addCommand(verifyCommand())
  for (const each of proveCommands()) audit.addCommand(each)
  audit.addCommand(rotateKeyCommand())
  for (const each of retentionCommands()) audit.addCommand(each)
  return audit.addCommand(
    new Command('vkey')
      .description('Print the public key of this installation’s audit log: keep it where the log is not kept')
      .action(async () => {
        const local = await localLog()
        if (local === null) throw new CliError('this machine has no key of an audit log: start the server once.')
        process.stdout.write(`${local.vkey}\n`)
      }),
  )
}
