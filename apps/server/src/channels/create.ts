import { randomUUID } from 'node:crypto'
import type { Phi } from '@wardline/protocol'
import { auditId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { isUniqueViolation } from '../storage/errors.ts'
import type { Change, TenantDb } from '../storage/transaction.ts'
import { announceMembership } from './members.ts'
import { membershipEvent } from './membership.ts'

export type Opened = { readonly id: string; readonly created: boolean }

/** A conversation of two: there is one for each pair, whoever opens it and however often. @throws Refusal */
export async function openDirect(ctx: Context, caller: Caller, other: string): Promise<Opened> {
  const { tenant, user } = caller.actor
  const action = 'channel.create-direct'
  const about = { user: auditId(other) }
  const { reason } = await decideFor(ctx, caller, action, { kind: 'user', tenant, id: other }, about)
  await requireReaders(ctx, caller, action, [other], '/member')
  const pair = [user, other].sort().join(':')
  const where = { tenantId_pair: { tenantId: tenant, pair } }
  const find = (db: TenantDb) => db.channel.findUnique({ where, select: { id: true } })
  const allowed = { ...caller.trail, ...about, action, outcome: 'allowed', reason } as const

  const there = await ctx.database.readTenant(tenant, find)
  if (there !== null) return known(there.id)
  try {
    const { id, users } = await ctx.database.withTenant(tenant, async (tx) => {
      const id = await createConversation(ctx, tx, { kind: 'direct', pair, title: null, members: [user, other] }, user)
      tx.audit({ ...allowed, channel: auditId(id) })
      return { id, users: await newVersions(tx, [user, other]) }
    })
    await announceMembership(ctx.gateway, tenant, { heads: [], users })
    return { id, created: true }
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    const { id } = await ctx.database.readTenant(tenant, (db) => db.channel.findUniqueOrThrow({ where }))
    return known(id)
  }

  async function known(id: string): Promise<Opened> {
    await ctx.database.auditOnly(tenant, { ...allowed, channel: auditId(id), outcome: 'repeated' })
    return { id, created: false }
  }
}

/** A group with a title, and whoever opens it in it. @throws Refusal */
export async function openGroup(
  ctx: Context,
  caller: Caller,
  group: { readonly title: Phi; readonly members: readonly string[] },
): Promise<Opened> {
  const { tenant, user } = caller.actor
  const action = 'channel.create-group'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'tenant', tenant })
  const invited = [...new Set(group.members)].filter((member) => member !== user)
  await decideFor(ctx, caller, 'directory.read', { kind: 'tenant', tenant })
  await requireReaders(ctx, caller, action, invited, '/members')
  const members = [user, ...invited]
  const by = caller.trail
  const { id, head, users } = await ctx.database.withTenant(tenant, async (tx) => {
    const id = await createConversation(ctx, tx, { kind: 'group', pair: null, title: group.title, members }, user)
    tx.audit({ ...by, action, outcome: 'allowed', reason, channel: auditId(id), count: members.length })
    const joined = members.map((userId) =>
      membershipEvent('member.joined', { channelId: id, patientId: null, userId, role: null, by }),
    )
    const events = await tx.append(joined)
    const head = Math.max(...events.map((event) => ('seq' in event ? event.seq : 0)))
    return { id, head, users: await newVersions(tx, members) }
  })
  await announceMembership(ctx.gateway, tenant, { heads: [{ channel: id, seq: head }], users })
  return { id, created: true }
}

/** Somebody who could never read what is written there is not invited: they would be believed to know. */
async function requireReaders(
  ctx: Context,
  caller: Caller,
  action: 'channel.create-direct' | 'channel.create-group',
  ids: readonly string[],
  field: string,
): Promise<void> {
  const tenantId = caller.actor.tenant
  const permission = 'channel.read'
  const rows = await ctx.database.readTenant(tenantId, (db) =>
    db.user.findMany({
      where: { tenantId, id: { in: [...ids] }, disabledAt: null },
      select: {
        id: true,
        roles: { where: { role: { permissions: { some: { permission } } } }, select: { roleId: true } },
      },
    }),
  )
  const fields = [field]
  if (rows.length < ids.length) {
    await refuse(ctx, caller, new Refusal('not-found', 'not-found', { fields }), action)
  }
  const without = rows.find(({ roles }) => roles.length === 0)
  if (without !== undefined) {
    await refuse(ctx, caller, new Refusal('conflict', 'no-permission', { fields }), action, {
      user: auditId(without.id),
    })
  }
}

type Conversation = {
  readonly kind: 'direct' | 'group'
  readonly pair: string | null
  readonly title: Phi | null
  readonly members: readonly string[]
}

async function createConversation(
  { keyring }: Context,
  tx: Change,
  { kind, pair, title, members }: Conversation,
  createdBy: string,
): Promise<string> {
  const { tenantId, db } = tx
  const id = randomUUID()
  const dataKeyId = await keyring.createDataKey(tx, tenantId, 'channel')
  const place = { scope: id, row: id, purpose: 'title' }
  const sealedTitle = title === null ? null : await keyring.seal(tenantId, dataKeyId, place, title)
  await db.channel.create({ data: { tenantId, id, kind, pair, sealedTitle, dataKeyId, createdBy } })
  const joinedAt = new Date(tx.at)
  await db.channelMember.createMany({
    data: members.map((userId) => ({ tenantId, channelId: id, userId, joinedAt })),
  })
  return id
}

/** What these people may do has changed: nodes that hold a snapshot of them load it anew. */
async function newVersions({ tenantId, db }: Change, ids: readonly string[]) {
  const rows = await db.user.updateManyAndReturn({
    where: { tenantId, id: { in: [...ids] } },
    data: { version: { increment: 1 } },
    select: { id: true, version: true },
  })
  return rows.map(({ id, version }) => ({ user: id, version }))
}
