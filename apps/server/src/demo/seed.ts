import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { bySystem } from '../audit/by.ts'
import { auditId } from '../audit/event.ts'
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
 * the data folder (0600). Where that file was lost, the people get new passwords. Every start answers the same list.
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
      const password = known.get(`${slug}/${person.username}`) ?? newPassword()
      accounts.push({ tenant: slug, username: person.username, password, roles: [...person.roles] })
      await ensurePerson(options, tenantId, person, password, known.has(`${slug}/${person.username}`))
    }
    if (there === null) {
      const files = [join(BUNDLES, `${slug}.fhir.json`)]
      await importFhir({ database, keyring, tenantId, by: bySystem, files, careTeam: [] })
    }
  }
  await writePrivateFile(file, `${JSON.stringify(accounts, null, 2)}\n`, 'replace')
  return accounts
}

async function ensurePerson(
  { database, passwords }: DemoOptions,
  tenantId: string,
  person: (typeof DEMO_TENANTS)[number]['people'][number],
  password: string,
  passwordKnown: boolean,
): Promise<void> {
  const { username, displayName, title } = person
  const where = { tenantId_username: { tenantId, username } }
  const there = await database.readTenant(tenantId, (db) => db.user.findUnique({ where }))
  if (there !== null && passwordKnown) return
  const passwordHash = await passwords.hash(password)
  await database.withTenant(tenantId, async (tx) => {
    if (there === null) {
      const roles = [...person.roles]
      await createUser(tx, {
        username,
        displayName,
        title,
        roles,
        passwordHash,
        externalDigest: null,
        by: bySystem,
      })
      return
    }
    await tx.db.user.update({ where, data: { passwordHash, version: { increment: 1 } } })
    tx.audit({ ...bySystem, action: 'password.change', outcome: 'allowed', user: auditId(there.id) })
  })
}

function parseAccounts(text: string | null): Map<string, string> {
  if (text === null) return new Map()
  try {
    const accounts = z.array(account).parse(JSON.parse(text))
    return new Map(accounts.map(({ tenant, username, password }) => [`${tenant}/${username}`, password]))
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
