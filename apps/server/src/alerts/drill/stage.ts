import { randomBytes, randomUUID } from 'node:crypto'
import type { AlertKind } from '@wardline/protocol'
import { asPhi } from '@wardline/protocol'
import { bySystem } from '../../audit/by.ts'
import { type AuditFact, auditId } from '../../audit/event.ts'
import { assignToCareTeam } from '../../care-team/assign.ts'
import type { Argon2Parameters } from '../../config.ts'
import type { Keyring } from '../../keys/keyring.ts'
import { BODY_PURPOSE } from '../../messages/stored-event.ts'
import { createPatient } from '../../patients/create.ts'
import { endSessions } from '../../sessions/end.ts'
import type { Database } from '../../storage/open.ts'
import { createTenant } from '../../tenants/create.ts'
import { createUser } from '../../users/create.ts'
import { createPasswords } from '../../users/password.ts'
import { voidSetUpCode } from '../../users/set-up-code.ts'

/** The organisation of drills: nobody works there, and whatever its log says was a drill. */
export const DRILL_TENANT = 'drill'

export type DrillDeps = {
  readonly database: Database
  readonly keyring: Keyring
  readonly argon2: Argon2Parameters
}

export type DrillPerson = {
  readonly id: string
  readonly tenant: string
  readonly username: string
  readonly password: string
}
export type DrillPatient = { readonly id: string; readonly channel: string }

/** Where incidents are staged: accounts made for this one drill, and patients who are nobody. */
export type Stage = {
  readonly tenant: string
  readonly slug: string
  /** A new account with these roles. */
  addPerson(name: string, roles?: readonly string[]): Promise<DrillPerson>
  /** A role for this drill alone, which needs no second factor. */
  addRole(permissions: readonly string[]): Promise<string>
  /** So many invented patients, with this person on their care team. */
  addPatients(count: number, nurse: DrillPerson): Promise<DrillPatient[]>
  /** A message in a patient's channel whose stored bytes are not those that were sealed. */
  addTamperedMessage(patient: DrillPatient, sender: DrillPerson): Promise<void>
  /** Sets working hours that are over, or none. */
  setWorkingHours(hours: { zone: string; from: number; until: number } | null): Promise<void>
  /** Writes what a server would write: for what this one cannot be made to do. */
  write(fact: AuditFact): Promise<void>
  /** Alerts of the tenant that were raised, or went on, since this time. Epoch milliseconds. */
  rungSince(at: number): Promise<{ id: string; kind: AlertKind; severity: string; user: string | null; at: number }[]>
  /** Ends what was begun: accounts are disabled, alerts of the drill closed as such. @param keep leaves the alerts open */
  end(keep: boolean): Promise<void>
}

/** Patients of one transaction. */
const AT_ONCE = 20

/** Opens the stage in a tenant; the one of drills is made where there is none. @returns null where there is no such tenant */
export async function openStage({ database, keyring, argon2 }: DrillDeps, slug: string): Promise<Stage | null> {
  const there = await database.findTenant(slug)
  if (there === null && slug !== DRILL_TENANT) return null
  const tenantId = there?.id ?? (await createTenant(database, keyring, { slug, name: 'Drills', by: bySystem }))
  const run = randomBytes(3).toString('hex')
  const password = randomBytes(18).toString('base64url')
  const passwordHash = await (await createPasswords(argon2, 1)).hash(password)
  const people: DrillPerson[] = []
  let roles = 0
  const since = Date.now()

  async function addPerson(name: string, roles: readonly string[] = ['nurse']): Promise<DrillPerson> {
    const username = `drill.${name}.${run}`
    const id = await database.withTenant(tenantId, (tx) =>
      createUser(tx, {
        username,
        displayName: `Drill ${name}`,
        title: null,
        roles,
        passwordHash,
        externalDigest: null,
        by: bySystem,
      }),
    )
    const person = { id, tenant: slug, username, password }
    people.push(person)
    return person
  }

  async function patientNumber(place: number): Promise<DrillPatient> {
    const mrn = `DRILL ${String(place).padStart(4, '0')}`
    const mrnDigest = await keyring.digest(tenantId, 'mrn', mrn)
    const known = await database.readTenant(tenantId, (db) =>
      db.patient.findUnique({ where: { tenantId_mrnDigest: { tenantId, mrnDigest } }, include: { channels: true } }),
    )
    if (known !== null) return { id: known.id, channel: known.channels[0]?.id ?? '' }
    const demographics = {
      family: asPhi('Drill'),
      given: asPhi(`Number ${place}`),
      birthDate: asPhi('1950-01-02'),
      mrn: asPhi(mrn),
      sex: 'unknown',
      deceased: false,
    } as const
    const { patientId, channelId } = await database.withTenant(tenantId, (tx) =>
      createPatient(tx, keyring, { demographics, mrnDigest, externalDigest: null, by: bySystem }),
    )
    return { id: patientId, channel: channelId }
  }

  async function rungSince(at: number): ReturnType<Stage['rungSince']> {
    const rows = await database.readTenant(tenantId, (db) =>
      db.alert.findMany({ where: { tenantId, changedAt: { gte: new Date(at) } } }),
    )
    return rows.map(({ id, kind, severity, userId, changedAt }) => ({
      id,
      kind: kind as AlertKind,
      severity,
      user: userId,
      at: changedAt.getTime(),
    }))
  }

  return {
    tenant: tenantId,
    slug,
    addPerson,
    async addRole(permissions) {
      roles += 1
      const name = `drill-${run}-${roles}`
      await database.withTenant(tenantId, async (tx) => {
        const roleId = randomUUID()
        await tx.db.role.create({ data: { tenantId, id: roleId, name, label: 'A drill' } })
        await tx.db.rolePermission.createMany({
          data: permissions.map((permission) => ({ tenantId, roleId, permission })),
        })
        tx.audit({ ...bySystem, action: 'role.create', outcome: 'allowed' })
      })
      return name
    },
    async addPatients(count, nurse) {
      const patients: DrillPatient[] = []
      for (let place = 1; place <= count; place += 1) patients.push(await patientNumber(place))
      for (let from = 0; from < count; from += AT_ONCE) {
        await database.withTenant(tenantId, async (tx) => {
          const until = new Date(tx.at + 3_600_000)
          for (const { id: patientId } of patients.slice(from, from + AT_ONCE)) {
            const place = { patientId, userId: nurse.id, role: 'nurse', startsAt: new Date(tx.at), endsAt: until }
            await assignToCareTeam(tx, { ...place, by: bySystem })
          }
        })
      }
      return patients
    },
    async addTamperedMessage({ id: patient, channel }, sender) {
      await database.withTenant(tenantId, async (tx) => {
        const { dataKeyId } = await tx.db.channel.findUniqueOrThrow({
          where: { tenantId_id: { tenantId, id: channel } },
        })
        const id = randomUUID()
        const body = await keyring.seal(
          tenantId,
          dataKeyId,
          { scope: channel, row: id, purpose: BODY_PURPOSE },
          asPhi('A drill'),
        )
        const last = body.length - 1
        body[last] = (body[last] ?? 0) ^ 1
        await tx.append([
          {
            kind: 'event',
            channelId: channel,
            id,
            type: 'message.posted',
            actorId: sender.id,
            clientId: randomUUID(),
            digest: randomBytes(32),
            messageId: null,
            attributes: { priority: 'routine' },
            body,
            audit: {
              ...bySystem,
              action: 'message.post',
              outcome: 'allowed',
              channel: auditId(channel),
              patient: auditId(patient),
            },
          },
        ])
      })
    },
    async setWorkingHours(hours) {
      await database.withTenant(tenantId, async (tx) => {
        const { zone = null, from = null, until = null } = hours ?? {}
        const data = { zone, fromMinute: from, untilMinute: until, changedAt: new Date(tx.at) }
        await tx.db.alertSettings.upsert({ where: { tenantId }, create: { tenantId, ...data }, update: data })
        tx.audit({ ...bySystem, action: 'settings.manage', outcome: 'allowed' })
      })
    },
    write: (fact) => database.auditOnly(tenantId, fact),
    rungSince,
    async end(keep) {
      const mine = new Set<string | null>(people.map(({ id }) => id))
      const rung = keep ? [] : (await rungSince(since)).filter(({ user }) => user === null || mine.has(user))
      const [closer] = people
      for (const { id: userId } of people) {
        await database.withTenant(tenantId, async (tx) => {
          const where = { tenantId_id: { tenantId, id: userId } }
          await tx.db.user.update({ where, data: { disabledAt: new Date(tx.at) } })
          await endSessions(tx, { user: userId }, 'user-disabled')
          await voidSetUpCode(tx, userId)
          tx.audit({ ...bySystem, action: 'user.disable', outcome: 'allowed', user: auditId(userId) })
        })
      }
      if (rung.length === 0 || closer === undefined) return
      await database.withTenant(tenantId, async (tx) => {
        const at = new Date(tx.at)
        for (const { id } of rung) {
          await tx.db.alert.updateMany({
            where: { tenantId, id, state: { not: 'closed' } },
            data: { state: 'closed', closedBy: closer.id, closedAt: at, resolution: 'drill', changedAt: at },
          })
          tx.audit({ ...bySystem, action: 'alert.close', outcome: 'allowed', reason: 'drill', alert: auditId(id) })
        }
      })
    },
  }
}
