import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { mapResource } from './fhir-resources.ts'
import { readFhirFile, type SourceItem } from './fhir-source.ts'

const folder = mkdtempSync(join(tmpdir(), 'wardline-fhir-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function read(text: string): Promise<SourceItem[]> {
  const path = join(folder, 'in')
  writeFileSync(path, text)
  const items: SourceItem[] = []
  for await (const item of readFhirFile(path)) items.push(item)
  return items
}

const mr = { coding: [{ code: 'MR' }] }
const jane = {
  resourceType: 'Patient',
  id: 'p1',
  identifier: [{ value: 'SSN' }, { type: mr, value: ' 123 456 ' }],
  name: [
    { use: 'maiden', family: 'Former', given: ['Jane'] },
    { use: 'official', family: 'Doe', given: ['Jane', 'Q'] },
  ],
  birthDate: '1945-07-14',
  gender: 'female',
}
const outcome = (resource: object) => {
  const mapped = mapResource({ ...resource })
  return 'skip' in mapped ? mapped.skip : mapped.take
}

describe('R-83: reading FHIR files', () => {
  it('takes NDJSON, and reads on after a corrupt line', async () => {
    const items = await read(`${JSON.stringify(jane)}\n{"resourceType":\n\n${JSON.stringify(jane)}\n[1]\n`)
    expect(items.map((i) => [i.place.line, 'problem' in i ? i.problem : 'resource'])).toEqual([
      [1, 'resource'],
      [2, 'not-json'],
      [4, 'resource'],
      [5, 'not-a-resource'],
    ])
  })

  it('reads on where the very first line is corrupt', async () => {
    const items = await read(`{"resourceType"\n${JSON.stringify(jane)}\n`)
    expect(items.map((i) => ('problem' in i ? i.problem : 'resource'))).toEqual(['not-json', 'resource'])
  })

  it.each([0, 2])('takes a Bundle, indented by %i', async (indent) => {
    const bundle = { resourceType: 'Bundle', entry: [{ fullUrl: 'urn:uuid:1', resource: jane }, { resource: 3 }] }
    const items = await read(JSON.stringify(bundle, null, indent))
    expect(items).toMatchObject([
      { place: { line: 1 }, fullUrl: 'urn:uuid:1', resource: { id: 'p1' } },
      { place: { line: 2 }, problem: 'not-a-resource' },
    ])
  })
})

describe('R-83: what is taken of a resource', () => {
  it('a patient: medical record number, the official name, two identifiers', () => {
    expect(outcome(jane)).toEqual({
      kind: 'patient',
      fhirId: 'p1',
      mrn: '123 456',
      family: 'Doe',
      given: 'Jane Q',
      birthDate: '1945-07-14',
      sex: 'female',
      deceased: false,
    })
  })

  it('leaves, with the reason, what cannot be identified or is not current', () => {
    expect(outcome({ ...jane, identifier: [{ value: '1' }] })).toBe('no-medical-record-number')
    expect(outcome({ ...jane, name: [{ use: 'maiden', family: 'Former' }] })).toBe('no-name')
    expect(outcome({ ...jane, active: false })).toBe('not-active')
    expect(outcome({ ...jane, link: [{ type: 'replaced-by' }] })).toBe('replaced-by-another')
    expect(outcome({ ...jane, id: '../etc' })).toBe('malformed')
    expect(outcome({ ...jane, name: [{ use: 'official', family: 'D\u202eoe' }] })).toBe('text-not-allowed')
    expect(outcome({ resourceType: 'Encounter', id: '1' })).toBe('type-not-imported')
  })

  it('a name of white space is none', () => {
    expect(outcome({ ...jane, name: [{ use: 'official', family: '  ' }] })).toBe('no-name')
    expect(outcome({ ...jane, name: [{ family: ' ', text: 'Jane Doe' }] })).toMatchObject({ family: 'Jane Doe' })
  })

  it('a partial date of birth is none: a banner must not show half an identifier', () => {
    expect(outcome({ ...jane, birthDate: '1945-07' })).toMatchObject({ birthDate: null })
    expect(outcome({ ...jane, birthDate: '1945-02-30' })).toMatchObject({ birthDate: null })
  })

  it.each([
    [{ reference: 'Patient/p1' }, { by: 'id', type: 'Patient', id: 'p1' }],
    [{ reference: 'https://ehr.example/fhir/Patient/p1/_history/2' }, { by: 'id', type: 'Patient', id: 'p1' }],
    [{ reference: 'urn:uuid:9' }, { by: 'fullUrl', url: 'urn:uuid:9' }],
    [{ reference: 'Patient?identifier=http://h|77' }, { by: 'identifier', value: '77' }],
    [
      { identifier: { system: 'urn:wardline:username', value: 'nurse.lind' } },
      { by: 'identifier', value: 'nurse.lind' },
    ],
  ])('resolves the reference %j', (subject, expected) => {
    expect(outcome({ resourceType: 'CareTeam', id: 't', subject })).toMatchObject({ patient: expected })
  })

  it.each([
    ['208D00000X', 'General Practice Physician', 'physician'],
    ['163W00000X', '', 'nurse'],
    ['1835P0018X', '', 'pharmacist'],
    ['x', 'Registered nurse', 'nurse'],
    ['x', 'Chaplain', null],
  ])('code %s %s stands for %s', (code, text, role) => {
    const resource = { resourceType: 'PractitionerRole', id: 'r', practitioner: { reference: 'Practitioner/1' } }
    expect(outcome({ ...resource, code: [{ coding: [{ code }], text }] })).toMatchObject({ role })
  })

  it('any resource at all is answered without a throw', () => {
    const type = fc.constantFrom('Patient', 'Practitioner', 'PractitionerRole', 'CareTeam', 'Bundle')
    fc.assert(
      fc.property(
        type,
        fc.dictionary(fc.constantFrom(...Object.keys(jane), 'subject', 'participant'), fc.jsonValue()),
        (t, r) => {
          expect(mapResource({ ...r, resourceType: t })).toBeTypeOf('object')
        },
      ),
    )
  })
})
