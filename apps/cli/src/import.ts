import { stat } from 'node:fs/promises'
import {
  bySystem,
  importFhir,
  NotClinical,
  renderReport,
  UnknownUser,
  withInstallation,
} from '@wardline/server/operations'
import { Command } from 'commander'
import { CliError } from './cli-error.ts'

type Options = { tenant: string; careTeam: string[] }

/** `wardline import fhir --tenant SLUG [--care-team USERNAME,…] FILE…` */
export function importCommand(): Command {
  const fhir = new Command('fhir')
    .description(
      'Take Patient, Practitioner, PractitionerRole and CareTeam of FHIR R4 from Bundles (JSON) or NDJSON files. Running it\nagain changes only what changed. Exit code 1 when something in the files could not be read.',
    )
    .argument('<file...>', 'FHIR R4 Bundle or NDJSON files; a file of other types is passed over')
    .requiredOption('--tenant <slug>', 'whose patients they are')
    .option(
      '--care-team <usernames>',
      'put these people on the team of every patient in the files, comma-separated',
      splitNames,
      [],
    )
    .action(runImport)
  return new Command('import').description('Take in data from elsewhere').addCommand(fhir)
}

async function runImport(files: string[], options: Options): Promise<void> {
  for (const file of files) {
    const found = await stat(file).catch(() => undefined)
    if (!found?.isFile()) throw new CliError(`${file}: there is no such file, or it cannot be read.`)
  }
  await withInstallation(async ({ database, keyring }) => {
    const tenant = await database.findTenant(options.tenant)
    if (tenant === null) {
      const known = (await database.listTenants()).map(({ slug }) => slug).join(', ')
      throw new CliError(`there is no tenant "${options.tenant}"; there are: ${known || 'none yet'}.`)
    }
    const onProgress = (text: string) => void process.stderr.write(`${text}\n`)
    const { careTeam } = options
    try {
      const report = await importFhir({
        database,
        keyring,
        tenantId: tenant.id,
        by: bySystem,
        files,
        careTeam,
        onProgress,
      })
      process.stdout.write(renderReport(report))
      if (report.left.some(({ reason }) => reason === 'not-json' || reason === 'malformed')) process.exitCode = 1
    } catch (error) {
      if (error instanceof UnknownUser) throw new CliError(`there is no user "${error.username}" in ${tenant.slug}.`)
      if (error instanceof NotClinical) {
        throw new CliError(`"${error.username}" has no clinical role, and so cannot be on a care team.`)
      }
      throw error
    }
  })
}

function splitNames(value: string): string[] {
  return value
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
}
