import { type Actor, type ActorAccess, type ActorCredentials, type Assignment, isPermission } from '@wardline/policy'
import type { TenantSettings } from '@wardline/protocol'
import type { LiveSession } from '../sessions/session-life.ts'
import type { StoredAccess } from '../storage/gateway-reads.ts'

/** What the store said of one user at one moment: replaced as a whole, never changed. */
export interface AccessSnapshot {
  /** The live half of an actor; the other half comes with each token. */
  readonly access: ActorAccess
  readonly profile: {
    readonly username: string
    readonly displayName: string
    readonly title: string | null
    readonly tenant: { readonly id: string; readonly slug: string; readonly name: string }
  }
  /** Sign-ins that have not been ended, by session id, locked ones included. */
  readonly sessions: ReadonlyMap<string, LiveSession>
  /**
   * The channels that policy may allow now or soon (memberships, and those of patients with a current or coming assignment), each
   * with its head when this was read.
   */
  readonly channels: ReadonlyMap<string, number>
  /** What the organisation has set, without the installation's ceilings (tenants/settings.ts). */
  readonly settings: TenantSettings
  /** A role of theirs demands a second factor, and they have none: they may enrol one, and nothing else. */
  readonly mustEnrol: boolean
  /** Access tokens that were revoked by themselves (RFC 7009) and have not expired, by `jti`. */
  readonly revokedTokens: ReadonlySet<string>
  readonly version: number
  readonly tenantVersion: number
}

/** Who asks: what the store says of the user now, bounded by what the token says. */
export function actorOf(snapshot: AccessSnapshot, token: { readonly credentials: ActorCredentials }): Actor {
  return { ...snapshot.access, ...token.credentials }
}

/** Whether the sign-in is still one: not ended, revoked, over, nor its user disabled. */
export function isSessionLive(snapshot: AccessSnapshot, session: string, now: number): boolean {
  const live = snapshot.sessions.get(session)
  return live !== undefined && now < live.expiresAt && snapshot.access.status === 'active'
}

/** Whether a socket may be open for it: who has to enrol a second factor first does that over HTTP. */
export function mayConnect(snapshot: AccessSnapshot, session: string, now: number): boolean {
  return isSessionLive(snapshot, session, now) && !snapshot.mustEnrol
}

/** The snapshot that a reading of the store makes. A permission of a newer version of the program is none to this one. */
export function snapshotOf(user: string, stored: StoredAccess): AccessSnapshot {
  const { username, displayName, title } = stored
  const { version: tenantVersion, ...tenant } = stored.tenant
  const careTeam = new Map<string, Assignment[]>()
  const channels = new Map<string, number>()
  for (const { patient, channel, head, startsAt, endsAt } of stored.careTeam) {
    careTeam.set(patient, [...(careTeam.get(patient) ?? []), { startsAt, endsAt }])
    if (channel !== null) channels.set(channel, head ?? 0)
  }
  for (const { channel, head } of stored.memberships) channels.set(channel, head)
  return {
    access: {
      tenant: tenant.id,
      user,
      kind: stored.kind,
      status: stored.disabled ? 'disabled' : 'active',
      roles: new Set(stored.roles),
      permissions: new Set(stored.permissions.filter(isPermission)),
      careTeam,
      memberships: new Map(stored.memberships.map(({ channel, joinedAt }) => [channel, { joinedAt }])),
      emergencyAccess: new Map(),
    },
    profile: { username, displayName, title, tenant },
    sessions: new Map(stored.sessions.map(({ id, ...live }) => [id, live])),
    channels,
    settings: stored.settings,
    mustEnrol: stored.mustEnrol,
    revokedTokens: new Set(stored.revokedTokens),
    version: stored.version,
    tenantVersion,
  }
}
