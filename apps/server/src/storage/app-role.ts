import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import pg from 'pg'
import { DatabaseRefused, errorCode, sqlState } from './errors.ts'

/** The group that all grants and policies name (the migrations make it). The server's login role is its only kind of member. */
const APP_GROUP = 'wardline_app'
/** The same for the sequencer of the audit log, which reads the outbox and writes places, and nothing else. */
const SEQUENCER_GROUP = 'wardline_sequencer'
const CONNECT_TIMEOUT_MS = 5_000
const SCRAM_ITERATIONS = 4096
const TRIES = 5

/** Gives bytes for a label; of the root key, so that every node finds the same and nothing is stored. */
export type Derive = (label: string, bytes: number) => Promise<Buffer>

/**
 * Makes sure that the server's own login role exists and lets it in, and returns the URL for it. The role owns nothing, is
 * no superuser and cannot pass row-level security (checked at each start, {@link checkAppRole}).
 *
 * @param owner connected as a role that may create roles
 * @throws DatabaseRefused when it may not
 */
export function ensureAppRole(
  owner: pg.Client,
  ownerUrl: string,
  installationId: string,
  derive: Derive,
): Promise<string> {
  const login = { group: APP_GROUP, label: 'database role', setting: 'WARDLINE_DATABASE_APP_URL' }
  return ensureLogin(owner, ownerUrl, installationId, derive, login)
}

/** The same for the sequencer's login role. @throws DatabaseRefused */
export function ensureSequencerRole(
  owner: pg.Client,
  ownerUrl: string,
  installationId: string,
  derive: Derive,
): Promise<string> {
  const login = { group: SEQUENCER_GROUP, label: 'sequencer role', setting: 'WARDLINE_DATABASE_SEQUENCER_URL' }
  return ensureLogin(owner, ownerUrl, installationId, derive, login)
}

/** `label`: what its password is derived for; `setting`: how an operator names a role of their own. */
type Login = { readonly group: string; readonly label: string; readonly setting: string }

async function ensureLogin(
  owner: pg.Client,
  ownerUrl: string,
  installationId: string,
  derive: Derive,
  login: Login,
): Promise<string> {
  const role = `${login.group}_${installationId.slice(0, 8)}`
  const password = (await derive(`${login.label} password`, 32)).toString('base64url')
  const url = new URL(ownerUrl)
  url.username = role
  url.password = password
  if (await letsIn(url.href, login.group)) return url.href
  const salt = await derive(`${login.label} salt`, 16)
  await alterRole(owner, role, scramVerifier(password, salt), login)
  return url.href
}

async function letsIn(url: string, group: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ member: boolean }>(`SELECT pg_has_role('${group}', 'USAGE') AS member`)
    await client.end()
    return rows[0]?.member === true
  } catch {
    return false
  }
}

/** Roles are of the whole cluster: two databases of one installation may be at it at once. */
async function alterRole(owner: pg.Client, role: string, verifier: string, { group, setting }: Login): Promise<void> {
  const attributes = `LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION INHERIT PASSWORD '${verifier}'`
  for (let tries = 1; ; tries++) {
    try {
      await owner.query(`DO $$ BEGIN
        CREATE ROLE ${role} ${attributes};
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        ALTER ROLE ${role} ${attributes};
      END $$`)
      await owner.query(`GRANT ${group} TO ${role}`)
      return
    } catch (error) {
      if (sqlState(error) === '42501') {
        throw new DatabaseRefused(
          `The role of WARDLINE_DATABASE_URL may not create roles: run "CREATE ROLE ${role} LOGIN IN ROLE ${group}" as one that may, and give its URL as ${setting}.`,
          { cause: error },
        )
      }
      // XX000: tuple concurrently updated.
      if (sqlState(error) !== 'XX000' || tries === TRIES) throw error
    }
  }
}

/**
 * What PostgreSQL stores of a password (RFC 5803), so that the password itself is in no statement and no server log.
 * The password is ASCII, for which SASLprep changes nothing.
 */
export function scramVerifier(password: string, salt: Buffer): string {
  const salted = pbkdf2Sync(password, salt, SCRAM_ITERATIONS, 32, 'sha256')
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest()
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64')
  const serverKey = hmac('Server Key').toString('base64')
  return `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`
}

/**
 * The walls hold only for a role that cannot step over them, whoever set it up.
 * @throws DatabaseRefused when the connected role is one that can
 */
export async function checkAppRole(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ powers: boolean; owns: boolean; member: boolean }>(
    `SELECT r.rolsuper OR r.rolbypassrls OR r.rolcreaterole AS powers,
            EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
                    AND pg_has_role(r.oid, c.relowner, 'MEMBER')) AS owns,
            pg_has_role(r.oid, '${APP_GROUP}', 'USAGE') AS member
     FROM pg_roles r WHERE r.rolname = current_user`,
  )
  const [role] = rows
  if (role === undefined || role.powers || role.owns || !role.member) {
    throw new DatabaseRefused(
      `WARDLINE_DATABASE_APP_URL must name a role that is a member of ${APP_GROUP}, owns no table, and is neither superuser nor BYPASSRLS nor CREATEROLE.`,
    )
  }
}

/** Connects, or says in one line why not; the URL's password is in no message. @throws DatabaseRefused */
export async function connectOwner(url: string): Promise<pg.Client> {
  try {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: 'wardline setup',
    })
    client.on('error', () => undefined)
    await client.connect()
    return client
  } catch (error) {
    const { host, pathname } = new URL(url)
    throw new DatabaseRefused(`The database ${host}${pathname} ${whyNot(errorCode(error))}.`, { cause: error })
  }
}

function whyNot(code: string): string {
  switch (code) {
    case '28P01':
    case '28000':
      return `does not let this user in (${code}): check user name and password in WARDLINE_DATABASE_URL`
    case '3D000':
      return 'is not there: make it (CREATE DATABASE), or correct WARDLINE_DATABASE_URL'
    case 'ENOENT':
      return 'is to be reached with a certificate file that is not there: correct WARDLINE_DATABASE_URL'
    default:
      return `cannot be reached (${code}): check that it runs and that WARDLINE_DATABASE_URL is right`
  }
}
