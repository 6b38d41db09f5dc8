import { randomInt } from 'node:crypto'
import { createUser as newUser, tenantSlug } from '@wardline/protocol'
import { bySystem } from '../audit/by.ts'
import type { Config } from '../config.ts'
import type { Keyring } from '../keys/keyring.ts'
import { isUniqueViolation } from '../storage/errors.ts'
import type { Database } from '../storage/open.ts'
import { createUser } from '../users/create.ts'
import { createPasswords } from '../users/password.ts'
import { createTenant } from './create.ts'

export type FirstOfTenant = {
  readonly slug: string
  readonly name: string
  /** The first administrator: user name, and the name that people read. */
  readonly admin: string
  readonly adminName: string
}

/** The organisation cannot be made so. The message is one line that says what to do. */
export class InvalidTenant extends Error {}

type Parts = { readonly database: Database; readonly keyring: Keyring; readonly argon2: Config['argon2'] }

/** Characters that nobody takes for one another, spoken or written. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789'
/** Five of these groups of five are 125 random bits. */
const GROUPS = 5
const GROUP_LENGTH = 5

/**
 * An organisation and its first administrator, or neither: whoever that is makes the others. Gives the password, which is kept
 * nowhere; their role asks for a second factor at the first sign-in.
 * @throws InvalidTenant
 */
export async function beginTenant({ database, keyring, argon2 }: Parts, first: FirstOfTenant): Promise<string> {
  const { slug, name, admin, adminName } = first
  if (!tenantSlug.safeParse(slug).success)
    throw new InvalidTenant('give a slug of small letters, digits and dashes, as riverside.')
  if (name.trim() === '') throw new InvalidTenant('give the organisation a name.')
  const person = newUser.safeParse({ username: admin, displayName: adminName, roles: ['administrator'] })
  if (!person.success) throw new InvalidTenant('give the administrator a user name, as a.reyes, and a name.')
  const password = newPassword()
  const passwordHash = await (await createPasswords(argon2, 1)).hash(password)
  const { username, displayName, roles } = person.data
  try {
    await createTenant(database, keyring, { slug, name, by: bySystem }, (tx) =>
      createUser(tx, {
        username,
        displayName,
        title: null,
        roles,
        passwordHash,
        externalDigest: null,
        by: bySystem,
      }),
    )
  } catch (error) {
    if (isUniqueViolation(error)) throw new InvalidTenant(`there is a tenant "${slug}" already.`)
    throw error
  }
  return password
}

function newPassword(): string {
  const group = () => Array.from({ length: GROUP_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('')
  return Array.from({ length: GROUPS }, group).join('-')
}
