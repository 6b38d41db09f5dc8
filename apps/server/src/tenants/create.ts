import { randomUUID } from 'node:crypto'
import { systemRoles } from '@wardline/policy'
import type { By } from '../audit/by.ts'
import type { Keyring } from '../keys/keyring.ts'
import type { Database } from '../storage/open.ts'
import type { Change } from '../storage/transaction.ts'

export type NewTenant = { readonly slug: string; readonly name: string; readonly by: By }

/**
 * An organisation, with its keys and the system roles. `within`: what else is of the same transaction.
 * @throws a unique violation where the slug is taken
 */
export async function createTenant(
  database: Database,
  keyring: Keyring,
  tenant: NewTenant,
  within?: (tx: Change) => Promise<unknown>,
): Promise<string> {
  const { slug, name, by } = tenant
  const tenantId = randomUUID()
  await database.withTenant(tenantId, async (tx) => {
    await tx.db.tenant.create({ data: { id: tenantId, slug, name } })
    await keyring.createTenantKeys(tx, tenantId)
    for (const [role, { text, requireSecondFactor, permissions }] of Object.entries(systemRoles)) {
      const roleId = randomUUID()
      await tx.db.role.create({
        data: { tenantId, id: roleId, name: role, label: text, system: true, requireSecondFactor },
      })
      await tx.db.rolePermission.createMany({
        data: [...permissions].map((permission) => ({ tenantId, roleId, permission })),
      })
    }
    tx.audit({ action: 'tenant.create', outcome: 'allowed', ...by })
    await within?.(tx)
  })
  return tenantId
}
