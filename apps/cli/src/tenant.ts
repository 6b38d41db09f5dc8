import { beginTenant, InvalidTenant, withInstallation } from '@wardline/server/operations'
import { Command } from 'commander'
import { CliError } from './cli-error.ts'

type Options = { name: string; admin: string; adminName: string }

/** `wardline tenant create SLUG --name NAME --admin USERNAME --admin-name NAME` */
export function tenantCommand(): Command {
  const create = new Command('create')
    .description(
      'Make an organisation and its first administrator, who makes the others. Prints that person’s password, once; at the\nfirst sign-in they set up a second factor.',
    )
    .argument('<slug>', 'what people type to say where they belong, as riverside')
    .requiredOption('--name <name>', 'what it is called')
    .requiredOption('--admin <username>', 'the first administrator’s user name')
    .requiredOption('--admin-name <name>', 'and the name that others read')
    .action(runCreate)
  return new Command('tenant').description('Look after organisations').addCommand(create)
}

async function runCreate(slug: string, { name, admin, adminName }: Options): Promise<void> {
  await withInstallation(async (installation) => {
    try {
      const password = await beginTenant(installation, { slug, name, admin, adminName })
      process.stdout.write(`${slug}/${admin}  ${password}\n`)
    } catch (error) {
      if (error instanceof InvalidTenant) throw new CliError(error.message)
      throw error
    }
  })
}
