import { auditKeyId, bySystem, withInstallation } from '@wardline/server/operations'
import { Command } from 'commander'

/** `wardline keys list | rotate`: the keys that sign access tokens. Beside running servers, which find what changes by themselves. */
export function keysCommand(): Command {
  const list = new Command('list').description('Show which keys sign, wait or still verify').action(runList)
  const rotate = new Command('rotate')
    .description(
      'Add a key. It is published for six minutes, then it signs; the one before verifies until its last token ends.',
    )
    .option(
      '--leaked',
      'the keys in use may be known to others: the new one signs at once and the others are destroyed. Every access token is\nrefused within a second or so; clients renew theirs by themselves. End sessions that a forged token may have used.',
    )
    .action(runRotate)
  return new Command('keys')
    .description('Look after the keys that sign access tokens')
    .addCommand(list)
    .addCommand(rotate)
}

async function runList(): Promise<void> {
  await withInstallation(async ({ signingKeys }) => {
    for (const { kid, activeFrom, state } of await signingKeys.list()) {
      process.stdout.write(`${kid}  ${state.padEnd(9)}  signs from ${new Date(activeFrom).toISOString()}\n`)
    }
  })
}

async function runRotate({ leaked = false }: { leaked?: boolean }): Promise<void> {
  await withInstallation(async ({ signingKeys, database }) => {
    const before = await signingKeys.list()
    const added = await signingKeys.rotate({ atOnce: leaked })
    const audit = (action: 'key.rotate' | 'key.destroy', kid: string) =>
      database.auditOnly(null, { ...bySystem, action, outcome: 'allowed', key: auditKeyId(kid) })
    if (added !== null) await audit('key.rotate', added)
    if (leaked) {
      const gone = before.map(({ kid }) => kid)
      await signingKeys.destroy(gone)
      for (const kid of gone) await audit('key.destroy', kid)
    }
  })
  await runList()
}
