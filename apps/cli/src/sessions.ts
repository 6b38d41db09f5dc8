import { bySystem, endAllSessions, endSessionsOfNamed, withInstallation } from '@wardline/server/operations'
import { Command } from 'commander'
import { CliError } from './cli-error.ts'

type Options = { tenant: string; user?: string }

/** `wardline sessions end --tenant SLUG [--user NAME]`: beside running servers, which find it within a second. */
export function sessionsCommand(): Command {
  const end = new Command('end')
    .description(
      'End every sign-in of an organisation, or of one person, with its tokens and sockets on every node. They may sign in again.',
    )
    .requiredOption('--tenant <slug>', 'whose')
    .option('--user <name>', 'of this person alone')
    .action(runEnd)
  return new Command('sessions').description('Look after who is signed in').addCommand(end)
}

async function runEnd({ tenant: slug, user }: Options): Promise<void> {
  await withInstallation(async ({ database }) => {
    const tenant = await database.findTenant(slug)
    if (tenant === null) throw new CliError(`there is no tenant "${slug}".`)
    const fact = { ...bySystem, action: 'session.manage' } as const
    const ended =
      user === undefined
        ? (await endAllSessions(database, tenant.id, fact)).count
        : await endSessionsOfNamed(database, tenant.id, user.toLowerCase(), fact)
    if (ended === null) throw new CliError(`there is no user "${user}" in ${slug}.`)
    process.stdout.write(`${ended} ended\n`)
  })
}
