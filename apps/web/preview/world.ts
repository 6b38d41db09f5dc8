import { createFakeServer, type FakeServer, fakeId } from '@wardline/client/fake-server'
import type { ChannelEvent, MessagePost, SignedInUser } from '@wardline/protocol'

const tenant = { id: fakeId(0xa1), slug: 'riverside', name: 'Riverside Hospital' }
const CLINICAL = [
  'directory.read',
  'patient.read',
  'channel.read',
  'channel.create-direct',
  'channel.create-group',
  'message.post',
  'message.acknowledge',
  'message.correct',
  'message.recall',
]
const IN_CHANNEL = ['message.post', 'message.acknowledge', 'message.correct', 'message.recall', 'receipt.mark']

let people = 0
function person(username: string, displayName: string, title: string, role: string, abilities: string[]): SignedInUser {
  people += 1
  return { id: fakeId(0xb0 + people), username, displayName, title, tenant, roles: [role], abilities }
}

export const lind = person('nurse.lind', 'Astrid Lind', 'RN, 4 West', 'nurse', CLINICAL)
export const okafor = person('physician.okafor', 'Dr. Chidi Okafor', 'Hospitalist', 'physician', CLINICAL)
export const vega = person('pharmacist.vega', 'Luis Vega', 'PharmD', 'pharmacist', CLINICAL)
const moss = person('clerk.moss', 'Ellen Moss', 'Unit clerk', 'unit-clerk', CLINICAL)
export const chen = person('auditor.chen', 'Wei Chen', 'Compliance', 'auditor', [
  'directory.read',
  'care-team.read',
  'audit.read',
  'audit.export',
  'audit.review',
])
export const reyes = person('admin.reyes', 'Sofia Reyes', 'IT', 'administrator', [
  'directory.read',
  'audit.read',
  'user.manage',
  'user.read',
  'role.read',
  'role.assign',
  'care-team.read',
  'care-team.manage',
  'session.read',
  'connection.read',
  'session.manage',
  'factor.reset',
  'password.reset',
  'alert.read',
  'alert.manage',
  'integration.read',
  'integration.manage',
  'settings.read',
  'settings.manage',
])
const everyone = [lind, okafor, vega, moss, chen, reyes]

/** Invented patients: family name, given name, date of birth, record number. */
const PATIENTS = [
  ['Doe', 'Jane', '1945-07-14', '123456', 'female'],
  ['Okonkwo-Bright', 'Emmanuel Tobenna', '1978-02-03', '4857773456', 'male'],
  ['Lindqvist', 'Ola', '2025-03-30', '778120', 'male'],
  ['Mbeki', 'Nomvula', '1961-11-22', '104455', 'female'],
  ['Castellanos', 'María de los Ángeles', '1932-12-01', '220917', 'female'],
  ['O’Sullivan', 'Siobhán', '1990-05-19', '330045', 'female'],
  ['Tanaka', 'Hiroshi', null, '918273', 'male'],
  ['Ivanova', 'Darya', '2003-08-08', '665544', 'female'],
] as const

export const patientChannel = (index: number) => fakeId(0xd1 + index)
const unitChannel = fakeId(0xe1)
export const directChannel = fakeId(0xe2)
export const longChannel = fakeId(0xe3)

const MINUTE = 60_000

/** A ward at night, in memory. Its clock can be set back, so that messages have a past. */
export function nightShift(): FakeServer {
  const started = Date.now()
  let setBackMs = 0
  const server = createFakeServer({
    time: {
      now: () => Date.now() - setBackMs,
      setTimer: (ms, run) => {
        const timer = setTimeout(run, ms)
        return () => clearTimeout(timer)
      },
    },
    users: everyone,
  })
  const team = [lind, okafor, vega, moss].map((each) => each.id)
  PATIENTS.forEach(([family, given, birthDate, mrn, sex], index) => {
    const channel = patientChannel(index)
    const patient = { id: fakeId(0xc1 + index), family, given, birthDate, mrn, sex, deceased: index === 4, channel }
    server.addChannel({ id: channel, kind: 'patient', patient, members: team, abilities: IN_CHANNEL })
  })
  server.addChannel({
    id: unitChannel,
    kind: 'group',
    title: '4 West night shift',
    members: team,
    abilities: IN_CHANNEL,
  })
  const withOkafor = [{ user: okafor.id, displayName: okafor.displayName, title: okafor.title }]
  server.addChannel({
    id: directChannel,
    kind: 'direct',
    with: withOkafor,
    members: [lind.id, okafor.id],
    abilities: IN_CHANNEL,
  })
  server.addChannel({ id: longChannel, kind: 'group', title: 'Bed management', members: team, abilities: IN_CHANNEL })

  const at = (minutesAgo: number) => {
    setBackMs = minutesAgo * MINUTE + (Date.now() - started)
  }
  const say = (
    channel: string,
    minutesAgo: number,
    by: SignedInUser,
    body: string,
    more: Partial<MessagePost> = {},
  ) => {
    at(minutesAgo)
    return server.say(channel, body, { by: by.id, ...more })
  }
  const append = (channel: string, minutesAgo: number, event: ChannelEvent['event']) => {
    at(minutesAgo)
    server.append(channel, event)
  }

  const doe = patientChannel(0)
  append(doe, 1700, { type: 'member.joined', user: okafor.id, role: 'physician' })
  say(
    doe,
    1650,
    okafor,
    'Admitted from ED with community-acquired pneumonia. CURB-65 of 2, on ceftriaxone + azithromycin. Allergies: penicillin (rash, 1998).',
  )
  say(doe, 1640, vega, 'Reviewed. Ceftriaxone acceptable with a remote rash; watch the first dose.')
  say(doe, 1500, lind, 'First dose given 21:40, no reaction.')
  const plan = say(
    doe,
    400,
    okafor,
    'Plan for tonight: O2 target 92–96 %, repeat lactate at 02:00, call me if it is above 2.',
    { intent: 'fyi' },
  )
  say(doe, 95, lind, 'Lactate drawn 02:05, sent to the lab.', { inReplyTo: plan.message })
  const typo = say(doe, 60, lind, 'Lactate 2.8, BP 96/58, HR 112.')
  append(doe, 58, {
    type: 'message.corrected',
    message: typo.message,
    by: lind.id,
    body: 'Lactate 2.8, BP 96/54, HR 112, SpO2 91 % on 3 L.',
  })
  say(doe, 50, vega, 'If you go to vasopressors: norepinephrine is stocked on 4 West, Pyxis 2.')
  const wrong = say(doe, 48, moss, 'Bed 12 is ready for transfer.')
  append(doe, 47, { type: 'message.recalled', message: wrong.message, by: moss.id, reason: 'wrong-patient' })
  const asked = say(doe, 40, lind, 'MAP 61 after the first litre. Please review now.', {
    priority: 'urgent',
    ackRequired: true,
  })
  append(doe, 38, { type: 'message.acknowledged', message: asked.message, by: okafor.id, response: 'on-my-way' })
  server.receipt(doe, lind.id, { read: 12, delivered: 12 })
  say(doe, 9, okafor, 'Second litre of Ringer’s now, blood cultures ×2 before the next antibiotic dose.')
  say(doe, 8, okafor, 'And a second line, please.', { intent: 'action', ackRequired: true })
  say(
    doe,
    4,
    okafor,
    'Sepsis bundle: start norepinephrine 0.05 µg/kg/min if MAP stays below 65 after this litre. Confirm that you have this.',
    { priority: 'stat', ackRequired: true },
  )
  server.receipt(doe, vega.id, { read: 14, delivered: 17 })
  server.receipt(doe, okafor.id, { read: 17, delivered: 17 })
  server.receipt(doe, moss.id, { delivered: 10 })

  const okonkwo = patientChannel(1)
  say(okonkwo, 220, okafor, 'Potassium 5.9 on the 23:00 draw, no ECG changes. Repeat with the next labs.')
  say(okonkwo, 30, vega, 'Spironolactone is still on the chart for 08:00. Hold it?', {
    priority: 'urgent',
    ackRequired: true,
  })
  const ola = patientChannel(2)
  say(ola, 180, okafor, 'Paracetamol 15 mg/kg, weight 9.8 kg confirmed.')
  say(ola, 25, vega, 'Dose rechecked against the 02:00 weight, all good.')
  say(ola, 20, moss, 'Parents asked for the family room, it is booked.')
  const mbeki = patientChannel(3)
  say(mbeki, 700, okafor, 'INR 2.4, warfarin as usual.')
  server.receipt(mbeki, lind.id, { read: 99, delivered: 99 })
  const castellanos = patientChannel(4)
  say(castellanos, 4000, okafor, 'The family has been informed. Thank you all for the care.')
  server.receipt(castellanos, lind.id, { read: 99, delivered: 99 })
  const tanaka = patientChannel(6)
  append(tanaka, 90, {
    type: 'emergency-access.opened',
    user: okafor.id,
    reason: 'emergency',
    until: new Date(started + 45 * MINUTE).toISOString(),
  })
  say(tanaka, 88, okafor, 'Unidentified at arrival, records found by MRN. Taking over from ED.')
  server.receipt(tanaka, lind.id, { read: 99, delivered: 99 })
  say(unitChannel, 130, moss, 'Ward round moved to 07:30.')
  say(unitChannel, 128, vega, 'Pyxis 1 is down until 04:00, use Pyxis 2.')
  server.receipt(unitChannel, lind.id, { read: 1, delivered: 1 })
  say(directChannel, 300, lind, 'Are you covering 4 West tonight?')
  say(directChannel, 298, okafor, 'Yes, until 07:00. Page me for anything urgent, otherwise here.')
  server.receipt(directChannel, lind.id, { read: 2, delivered: 2 })
  server.receipt(directChannel, okafor.id, { read: 2, delivered: 2 })
  setBackMs = 0
  return server
}

/** Ten thousand messages in one conversation: what must stay quick. */
export function fillLongChannel(server: FakeServer, read = 10_000): void {
  for (let count = 1; count <= 10_000; count += 1) {
    const by = [lind, okafor, vega, moss][count % 4] ?? lind
    server.say(
      longChannel,
      `Bed ${count % 40}: ${count % 3 === 0 ? 'ready' : 'being cleaned, about twenty minutes'}. (${count})`,
      { by: by.id },
    )
  }
  server.receipt(longChannel, lind.id, { read, delivered: 10_000 })
}
