import type { Setting } from './setting-kinds.ts'
import { settings } from './settings.ts'

const HEAD = `# Wardline's settings, each with its default or an example. Generated from apps/server/src/settings.ts; a test keeps it current.
# Production: node --env-file=.env apps/server/src/main.ts. A secret can come from a file instead: <NAME>_FILE=/run/secrets/name.
# Relative paths begin at the repository's folder. A setting that is wrong, and a WARDLINE_ name that is not here, stop the start with a line that says what to do.
`

/** The text of `.env.example`. */
export function envExample(): string {
  return [HEAD, ...Object.entries(settings).map(([name, setting]) => entry(name, setting))].join('\n')
}

function entry(name: string, setting: Setting): string {
  const file = setting.secret === true ? ` Or ${name}_FILE.` : ''
  return `# ${setting.about}${file}\n#${name}=${setting.shown}\n`
}
