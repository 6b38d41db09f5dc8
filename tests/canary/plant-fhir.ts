import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Canaries } from './canaries.ts'
import type { Haystack } from './haystack.ts'

const CLI = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url))

export type Import = {
  readonly env: Readonly<Record<string, string>>
  readonly folder: string
  readonly careTeam: string
}

/** Imports a patient who is made of canaries, and records that are refused, as an operator does. Gives what the terminal showed. */
export function plantByImport({ env, folder, careTeam }: Import, canaries: Canaries, birthDate: string): Haystack[] {
  const file = join(folder, 'patients.ndjson')
  const plant = (place: string) => canaries.plant(`FHIR: ${place}`)
  const number = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] }
  const patient = {
    resourceType: 'Patient',
    id: plant('id of a patient'),
    identifier: [
      { type: number, value: `MRN-${plant('medical record number')}` },
      { system: 'http://hl7.org/fhir/sid/us-ssn', value: plant('social security number') },
    ],
    name: [
      { use: 'official', family: `O’${plant('family name')}`, given: [plant('given name')], prefix: [plant('prefix')] },
      { use: 'maiden', family: plant('maiden name') },
    ],
    telecom: [{ system: 'phone', value: plant('phone') }],
    address: [{ line: [plant('street')], city: plant('town') }],
    contact: [{ name: { text: plant('next of kin') } }],
    birthDate,
    gender: 'female',
  }
  const spoiled = (over: object) => JSON.stringify({ ...patient, ...over })
  const lines = [
    JSON.stringify(patient),
    spoiled({ id: plant('id with a space').replace('x', ' ') }),
    spoiled({ id: 'a', identifier: [] }),
    spoiled({ id: 'b', name: [{ family: `\u0007${plant('name with a control character')}` }] }),
    spoiled({ id: 'c', gender: plant('gender') }),
    spoiled({ id: 'd' }),
    `{"resourceType":"Patient","id":"${plant('a line that is cut off')}`,
    plant('a line that is no JSON'),
    JSON.stringify({ resourceType: plant('a type of resource'), id: 'e' }),
    JSON.stringify({ [plant('a key')]: 1 }),
    JSON.stringify({
      resourceType: 'CareTeam',
      id: plant('id of a care team'),
      subject: { reference: `Patient/${plant('a patient who is none')}`, display: plant('display of a reference') },
      participant: [{ member: { reference: `Practitioner?identifier=${plant('a person who is none')}` } }],
    }),
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const { PATH = '', HOME = '' } = process.env
  const run = spawnSync(
    process.execPath,
    [CLI, 'import', 'fhir', '--tenant', 'riverside', '--care-team', careTeam, file],
    { env: { PATH, HOME, ...env }, encoding: 'utf8' },
  )
  // The operator's own file: what is searched is what is said of it.
  writeFileSync(file, '')
  if (!/Patients +1 /.test(run.stdout)) throw new Error(`the import failed: ${run.stdout}${run.stderr}`)
  return [{ place: 'the terminal of the import', bytes: Buffer.from(run.stdout + run.stderr) }]
}
