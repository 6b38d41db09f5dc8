import { asPhi } from '@wardline/protocol'
import { bySystem } from '../../apps/server/src/audit/by.ts'
import { assignToCareTeam } from '../../apps/server/src/care-team/assign.ts'
import { announceMembership } from '../../apps/server/src/channels/members.ts'
import { DEMO_TENANTS } from '../../apps/server/src/demo/people.ts'
import { createPatient } from '../../apps/server/src/patients/create.ts'
import type { TestServer } from './server.ts'

const ROLES = new Map<string, string>(
  DEMO_TENANTS.flatMap(({ people }) => people.map(({ username, roles }) => [username, roles[0]])),
)

export type TestPatient = { readonly id: string; readonly channel: string }

/** A patient of the tenant `slug`, cared for from now on by these people of it (user names), each in their demo role. */
export async function addPatient(
  server: TestServer,
  slug: string,
  { family, given, mrn }: { family: string; given: string; mrn: string },
  ...team: string[]
): Promise<TestPatient> {
  const { database, keyring, gateway } = server.ctx
  const tenantId = server.tenants.get(slug) ?? ''
  const demographics = {
    family: asPhi(family),
    given: asPhi(given),
    birthDate: asPhi('1950-01-02'),
    mrn: asPhi(mrn),
    sex: 'female',
    deceased: false,
  } as const
  const mrnDigest = await keyring.digest(tenantId, 'mrn', mrn)
  const { patientId, channelId } = await database.withTenant(tenantId, (tx) =>
    createPatient(tx, keyring, { demographics, mrnDigest, externalDigest: null, by: bySystem }),
  )
  for (const username of team) {
    const userId = server.users.get(`${slug}/${username}`) ?? ''
    const role = ROLES.get(username) ?? ''
    const { version, channel } = await database.withTenant(tenantId, (tx) =>
      assignToCareTeam(tx, { patientId, userId, role, startsAt: new Date(tx.at), endsAt: null, by: bySystem }),
    )
    const heads = channel === null ? [] : [{ channel: channel.id, seq: channel.head }]
    await announceMembership(gateway, tenantId, { heads, users: [{ user: userId, version }] })
  }
  return { id: patientId, channel: channelId }
}
