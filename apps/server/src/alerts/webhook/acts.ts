import { randomUUID } from 'node:crypto'
import type { AlertDelivery, AlertWebhook } from '@wardline/protocol'
import type { Context } from '../../context.ts'
import { Refusal } from '../../errors.ts'
import type { Caller } from '../../http/caller.ts'
import { decideFor, refuse } from '../../http/decide.ts'
import type { TenantDb } from '../../storage/transaction.ts'
import { secretPlace } from './deliveries.ts'
import { newWebhookSecret } from './signature.ts'
import { isAllowedHost, targetsWith } from './target.ts'

/** Messages that are shown with the webhook, the latest first. */
const MOST_SHOWN = 20
/** Tests that may wait: whoever presses the button again and again fills no queue. */
const MOST_TESTS = 5

type Ctx = Pick<Context, 'clock' | 'policy' | 'database' | 'config' | 'keyring'>

/** Where the tenant's alerts are sent, and what became of the last messages. The secret is never shown again. @throws Refusal */
export async function readWebhook(ctx: Ctx, caller: Caller): Promise<AlertWebhook> {
  const { tenant } = caller.actor
  const action = 'integration.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'tenant', tenant })
  const shown = await ctx.database.readTenant(tenant, (db) => webhookOf(db, tenant))
  await ctx.database.auditOnly(tenant, { ...caller.trail, action, outcome: 'allowed', reason })
  return shown
}

/** Has alerts sent there from now on, signed with a new secret. @returns the secret, shown once @throws Refusal */
export async function setWebhook(
  ctx: Ctx,
  caller: Caller,
  { url }: { readonly url: string },
): Promise<{ secret: string }> {
  const { tenant } = caller.actor
  await decideFor(ctx, caller, 'integration.manage', { kind: 'tenant', tenant })
  if (!isAcceptable(ctx, url)) throw new Refusal('invalid', 'schema', { fields: ['/url'] })
  const secret = newWebhookSecret()
  await ctx.database.withTenant(tenant, async (tx) => {
    const { db, tenantId } = tx
    await shredSecret(ctx, tx)
    const dataKeyId = await ctx.keyring.createDataKey(tx, tenantId, 'webhook')
    const sealedSecret = await ctx.keyring.seal(tenantId, dataKeyId, secretPlace(tenantId), Buffer.from(secret))
    const data = { url, dataKeyId, sealedSecret, changedBy: caller.actor.user, changedAt: new Date(tx.at) }
    await db.alertWebhook.upsert({ where: { tenantId }, create: { tenantId, ...data }, update: data })
    tx.audit({ ...caller.trail, action: 'webhook.change', outcome: 'allowed' })
  })
  return { secret }
}

/** Sends nothing any more; what waits is given up. @throws Refusal */
export async function removeWebhook(ctx: Ctx, caller: Caller): Promise<void> {
  const { tenant } = caller.actor
  await decideFor(ctx, caller, 'integration.manage', { kind: 'tenant', tenant })
  await ctx.database.withTenant(tenant, async (tx) => {
    const { db, tenantId } = tx
    const at = new Date(tx.at)
    await shredSecret(ctx, tx)
    const data = { url: null, dataKeyId: null, sealedSecret: null, changedBy: caller.actor.user, changedAt: at }
    await db.alertWebhook.updateMany({ where: { tenantId }, data })
    const waiting = { tenantId, state: 'waiting' }
    await db.alertDelivery.updateMany({ where: waiting, data: { state: 'failed', fault: 'removed', endedAt: at } })
    tx.audit({ ...caller.trail, action: 'webhook.change', outcome: 'allowed', count: 0 })
  })
}

/** Has a test sent; what became of it shows in the list. @throws Refusal */
export async function testWebhook(ctx: Ctx, caller: Caller): Promise<AlertWebhook> {
  const { tenant } = caller.actor
  const action = 'webhook.test'
  await decideFor(ctx, caller, 'integration.manage', { kind: 'tenant', tenant })
  const { url } = await ctx.database.readTenant(tenant, (db) => webhookOf(db, tenant))
  if (url === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action)
  return ctx.database.withTenant(tenant, async (tx) => {
    const { db, tenantId } = tx
    const at = new Date(tx.at)
    const waiting = await db.alertDelivery.count({ where: { tenantId, state: 'waiting', alertId: null } })
    if (waiting < MOST_TESTS) {
      await db.alertDelivery.create({ data: { tenantId, id: randomUUID(), nextAt: at, createdAt: at } })
    }
    tx.audit({ ...caller.trail, action, outcome: waiting < MOST_TESTS ? 'allowed' : 'repeated' })
    return webhookOf(db, tenantId)
  })
}

/** An address that is none of the public ones is refused at once; a name is judged at each delivery, by what it then resolves to. */
function isAcceptable({ config }: Ctx, url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, username, password, hash, hostname } = new URL(url)
  if (protocol !== 'https:' || username !== '' || password !== '' || hash !== '') return false
  return isAllowedHost(targetsWith(config.alerts.webhookNetworks), hostname)
}

type Change = Parameters<Parameters<Context['database']['withTenant']>[1]>[0]

async function shredSecret({ keyring }: Ctx, tx: Change): Promise<void> {
  const { db, tenantId } = tx
  const before = await db.alertWebhook.findUnique({ where: { tenantId } })
  if (before === null || before.dataKeyId === null) return
  await db.alertWebhook.update({ where: { tenantId }, data: { url: null, dataKeyId: null, sealedSecret: null } })
  await keyring.destroyDataKey(tx, tenantId, before.dataKeyId)
}

async function webhookOf(db: TenantDb, tenantId: string): Promise<AlertWebhook> {
  const row = await db.alertWebhook.findUnique({ where: { tenantId } })
  const deliveries = await db.alertDelivery.findMany({
    where: { tenantId },
    orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
    take: MOST_SHOWN,
  })
  return {
    url: row?.url ?? null,
    changedAt: row?.changedAt.toISOString() ?? null,
    deliveries: deliveries.map(
      ({ id, alertId, state, attempts, status, fault, createdAt, nextAt }): AlertDelivery => ({
        id,
        alert: alertId,
        state: state as AlertDelivery['state'],
        attempts,
        status,
        fault,
        createdAt: createdAt.toISOString(),
        nextAt: state === 'waiting' ? nextAt.toISOString() : null,
      }),
    ),
  }
}
