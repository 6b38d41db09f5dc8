import { bySystem, makeSetUpCodeOfNamed, setUpLink, withInstallation } from '@wardline/server/operations'
import { Command } from 'commander'
import { CliError } from './cli-error.ts'

type Options = { tenant: string; user: string; resetFactors?: boolean }

/** `wardline people set-up --tenant SLUG --user NAME [--reset-factors]`: beside running servers or without any. */
export function peopleCommand(): Command {
  const setUp = new Command('set-up')
    .description(
      'Make a link by which a person sets a new password, once; printed here and nowhere else. For the only administrator of an\norganisation who has forgotten theirs: the others do it for each other, on the screen of people.',
    )
    .requiredOption('--tenant <slug>', 'where they belong')
    .requiredOption('--user <name>', 'their user name')
    .option('--reset-factors', 'take their second factors and recovery codes away as well, once the link is used')
    .action(runSetUp)
  return new Command('people').description('Look after accounts of people').addCommand(setUp)
}

async function runSetUp({ tenant: slug, user, resetFactors = false }: Options): Promise<void> {
  await withInstallation(async ({ database, setUpMs, origin }) => {
    const tenant = await database.findTenant(slug)
    if (tenant === null) throw new CliError(`there is no tenant "${slug}".`)
    const wanted = { resetFactors, lifeMs: setUpMs }
    const made = await makeSetUpCodeOfNamed(database, tenant.id, user.toLowerCase(), wanted, bySystem)
    if (made === null) throw new CliError(`there is no person "${user}" in ${slug} who may sign in.`)
    process.stdout.write(`${setUpLink(origin, made)}\ngood once, until ${made.expiresAt}\n`)
  })
}
