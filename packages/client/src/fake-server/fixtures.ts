import type { ChannelSummary, PatientSummary, SignedInUser } from '@wardline/protocol'

/** The n-th id: a UUID that can be read. */
export function fakeId(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
}

const riverside = { id: fakeId(0xa1), slug: 'riverside', name: 'Riverside Hospital' }

/** The nurse who signs in unless a test says otherwise. */
export const nurse: SignedInUser = {
  id: fakeId(0xb1),
  username: 'nurse.lind',
  displayName: 'Astrid Lind',
  title: 'RN',
  tenant: riverside,
  roles: ['nurse'],
  abilities: ['message.post'],
}

export const physician: SignedInUser = {
  id: fakeId(0xb2),
  username: 'physician.okafor',
  displayName: 'Chidi Okafor',
  title: 'MD',
  tenant: riverside,
  roles: ['physician'],
  abilities: ['message.post'],
}

/** An invented patient and their channel. */
export const patient: PatientSummary = {
  id: fakeId(0xc1),
  family: 'Doe',
  given: 'Jane',
  birthDate: '1945-07-14',
  mrn: '123456',
  sex: 'female',
  deceased: false,
  channel: fakeId(0xd1),
}

/** What of a channel a test may choose; the rest is plain. */
export type FakeChannelOptions = { id: string; members?: readonly string[] } & Partial<
  Pick<ChannelSummary, 'kind' | 'title' | 'patient' | 'with' | 'abilities'>
>
