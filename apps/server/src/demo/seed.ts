import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type SystemRole, systemRoles } from '@wardline/policy'
import { z } from 'zod'
import { bySystem } from '../audit/by.ts'
import { auditId } from '../audit/event.ts'
import { newTotpSecret } from '../factors/totp.ts'
import { setTotp } from '../factors/totp-rows.ts'
import { importFhir } from '../import/import-fhir.ts'
import type { Keyring } from '../keys/keyring.ts'
import { readPrivateFile, writePrivateFile } from '../keys/private-file.ts'
import type { Database } from '../storage/open.ts'
import { createTenant } from '../tenants/create.ts'
import { createUser } from '../users/create.ts'
import type { Passwords } from '../users/password.ts'
import { DEMO_TENANTS } from './people.ts'

const account = z.strictObject({
  tenant: z.string(),
  username: z.string(),
  password: z.string(),
  roles: z.array(z.string()),
  totpSecret: z.string().optional(),
})

/** One demo sign-in, as `demo-accounts.json` holds it. */
export type DemoAccount = z.infer<typeof account>

export type DemoOptions = {
  readonly database: Database
  readonly keyring: Keyring
  readonly passwords: Passwords
  readonly dataDir: string
}

const BUNDLES = fileURLToPath(new URL('../../../../prisma/demo/', import.meta.url))

/**
 * The demonstration's tenants, people and patients, made at the first start; and its sign-ins, from `demo-accounts.json` in
 * the data folder (0600). Whose role demands a second factor has one. Where that file was lost, the people
 * get new passwords and secrets. Every start answers the same list.
 */
export async function seedDemo(options: DemoOptions): Promise<readonly DemoAccount[]> {
  const { database, keyring, dataDir } = options
  const file = join(dataDir, 'demo-accounts.json')
  const known = parseAccounts(await readPrivateFile(file))
  const accounts: DemoAccount[] = []
  for (const { slug, name, people } of DEMO_TENANTS) {
    const there = await database.findTenant(slug)
    const tenantId = there?.id ?? (await createTenant(database, keyring, { slug, name, by: bySystem }))
    for (const person of people) {
      const { username } = person
      const before = known.get(`${slug}/${username}`)
      const roles: string[] = [...person.roles]
      const password = before?.password ?? newPassword()
      const totpSecret = needsFactor(person.roles) ? (before?.totpSecret ?? newTotpSecret()) : undefined
      accounts.push({ tenant: slug, username, password, roles, ...(totpSecret === undefined ? {} : { totpSecret }) })
      await ensurePerson(options, tenantId, person, { password, totpSecret }, before)
    }
    // The accounts are written when all is done: without them, a start was broken off, and importing again changes nothing.
    if (there === null || known.size === 0) {
      const files = [join(BUNDLES, `${slug}.fhir.json`)]
      await importFhir({ database, keyring, tenantId, by: bySystem, files, careTeam: [] })
    }
  }
  await writePrivateFile(file, `${JSON.stringify(accounts, null, 2)}\n`, 'replace')
  return accounts
}

function needsFactor(roles: readonly SystemRole[]): boolean {
  return roles.some((role) => systemRoles[role].requireSecondFactor)
}

type Credentials = { readonly password: string; readonly totpSecret: string | undefined }

async function ensurePerson(
  { database, passwords, keyring }: DemoOptions,
  tenantId: string,
  person: (typeof DEMO_TENANTS)[number]['people'][number],
  { password, totpSecret }: Credentials,
  before: DemoAccount | undefined,
): Promise<void> {
  const { username, displayName, title } = person
  const where = { tenantId_username: { tenantId, username } }
  const there = await database.readTenant(tenantId, (db) => db.user.findUnique({ where }))
  if (there !== null && before !== undefined && before.totpSecret === totpSecret) return
  const passwordHash = await passwords.hash(password)
  await database.withTenant(tenantId, async (tx) => {
    if (there === null) {
      const roles = [...person.roles]
      const id = await createUser(tx, {
        username,
        displayName,
        title,
        roles,
        passwordHash,
        externalDigest: null,
        by: bySystem,
      })
      await enrol(id)
      return
    }
    await tx.db.user.update({ where, data: { passwordHash, version: { increment: 1 } } })
    tx.audit({ ...bySystem, action: 'password.change', outcome: 'allowed', user: auditId(there.id) })
    await enrol(there.id)

    async function enrol(id: string): Promise<void> {
      if (totpSecret === undefined) return
      await setTotp({ keyring }, tx, id, totpSecret)
      tx.audit({ ...bySystem, action: 'factor.enrol', outcome: 'allowed', user: auditId(id) })
    }
  })
}

function parseAccounts(text: string | null): Map<string, DemoAccount> {
  if (text === null) return new Map()
  try {
    const accounts = z.array(account).parse(JSON.parse(text))
    return new Map(accounts.map((each) => [`${each.tenant}/${each.username}`, each]))
  } catch {
    return new Map()
  }
}

/** Letters and digits that are not mistaken for each other: 15 of 31 are 74 bits. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz2345678'

function newPassword(): string {
  const letters = Array.from({ length: 15 }, () => ALPHABET[randomInt(ALPHABET.length)])
  return [letters.slice(0, 5), letters.slice(5, 10), letters.slice(10)].map((part) => part.join('')).join('-')
}
