import type pg from 'pg'
import { StorageUnavailable } from './errors.ts'

/** An organisation, as much of it as is known before anybody has signed in. */
export type TenantRow = {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly version: number
  /** Epoch milliseconds; null while it is in use. */
  readonly disabledAt: number | null
}

type Row = { id: string; slug: string; name: string; version: number; disabled_at: Date | null }

/** What is asked before a tenant is known, and so on this side of the tenant wall. Each throws `StorageUnavailable`. */
export type BeforeTenant = {
  findTenant(slug: string): Promise<TenantRow | null>
  listTenants(): Promise<TenantRow[]>
  /** True the first time a proof is shown, on whichever node; false: it is a replay. @param expiresAt epoch milliseconds */
  useProof(digest: Uint8Array, expiresAt: number): Promise<boolean>
  /** Forgets proofs that have expired; returns how many. */
  forgetProofs(now: number): Promise<number>
}

export function beforeTenant(pool: pg.Pool): BeforeTenant {
  async function query<R extends pg.QueryResultRow>(name: string, text: string, values: unknown[]) {
    try {
      return await pool.query<R>({ name: `wardline_${name}`, text, values })
    } catch (error) {
      throw new StorageUnavailable('the database is away', { cause: error })
    }
  }
  return {
    async findTenant(slug) {
      const { rows } = await query<Row>('find_tenant', 'SELECT * FROM wardline_find_tenant($1)', [slug])
      return rows[0] === undefined ? null : tenantOf(rows[0])
    },
    async listTenants() {
      const { rows } = await query<Row>('list_tenants', 'SELECT * FROM wardline_list_tenants()', [])
      return rows.map(tenantOf)
    },
    async useProof(digest, expiresAt) {
      const values = [Buffer.from(digest), new Date(expiresAt).toISOString()]
      const { rows } = await query<{ first: boolean }>('use_proof', 'SELECT wardline_use_proof($1,$2) AS first', values)
      return rows[0]?.first === true
    },
    async forgetProofs(now) {
      const text = 'DELETE FROM used_proofs WHERE expires_at < $1'
      const { rowCount } = await query('forget_proofs', text, [new Date(now).toISOString()])
      return rowCount ?? 0
    },
  }
}

function tenantOf({ id, slug, name, version, disabled_at }: Row): TenantRow {
  return { id, slug, name, version, disabledAt: disabled_at?.getTime() ?? null }
}
