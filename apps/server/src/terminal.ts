import { join } from 'node:path'
import type { RunningServer } from './server.ts'

/** What a person at the terminal wants to know once the server is up. */
export function startedMessage({ ctx, authorityFile, demoAccounts }: RunningServer): string {
  const { config, site } = ctx
  const lines = [`Wardline is up:  ${site.origin}`, '']
  if (config.demo) {
    lines.push(
      'DEMO: invented patients and people, for this machine alone. Do not put real data in.',
      '',
      ...table(
        demoAccounts.map(({ tenant, username, password, roles }) => [tenant, username, password, roles.join(', ')]),
      ),
      '',
      'Administrators are asked for a code as well; this goes into an authenticator app:',
      ...table(demoAccounts.flatMap(({ username, totpSecret }) => (totpSecret ? [[username, totpSecret]] : []))),
      '',
      `Sign-ins      ${join(config.dataDir, 'demo-accounts.json')}`,
    )
  }
  lines.push(`Data          ${config.dataDir}`)
  if (config.logFile !== null) lines.push(`Log           ${config.logFile}`)
  if (authorityFile !== null) {
    lines.push(`Certificate   by ${authorityFile}: trust it once, or accept the browser's warning`)
  }
  return `${lines.join('\n')}\n\nCtrl+C stops it.`
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ')}`.trimEnd())
}
