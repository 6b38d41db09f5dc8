import { bySystem, resetFactorsOfNamed, withInstallation } from '@wardline/server/operations'
import { Command } from 'commander'
import { CliError } from './cli-error.ts'

/** `wardline factors reset --tenant SLUG --user NAME`: beside running servers, which find it within a second. */
export function factorsCommand(): Command {
  const reset = new Command('reset')
    .description(
      'Take all second factors and recovery codes of a person away who has lost them, and end their sign-ins. For the last\nadministrator of an organisation: the others do it for each other, on the screen of people.',
    )
    .requiredOption('--tenant <slug>', 'where they belong')
    .requiredOption('--user <name>', 'their user name')
    .action(runReset)
  return new Command('factors').description('Look after second factors').addCommand(reset)
}

async function runReset({ tenant: slug, user }: { tenant: string; user: string }): Promise<void> {
  await withInstallation(async (installation) => {
    const tenant = await installation.database.findTenant(slug)
    if (tenant === null) throw new CliError(`there is no tenant "${slug}".`)
    const count = await resetFactorsOfNamed(installation, tenant.id, user.toLowerCase(), bySystem)
    if (count === null) throw new CliError(`there is no user "${user}" in ${slug}.`)
    process.stdout.write(`${count} taken away\n`)
  })
}
