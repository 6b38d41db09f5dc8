import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createWardline, type Wardline } from '@wardline/client/node'
import { Secret, TOTP } from 'otpauth'
import { inParallel } from './in-parallel.ts'
import { familyOf, startPinned, stop } from './processes.ts'

const SERVER = fileURLToPath(new URL('../../server/src/main.ts', import.meta.url))
const CLI = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url))
export const TENANT = 'riverside'
/** Everybody here signs in with the same one: nobody but this machine can reach the server. */
export const PASSWORD = 'correct-horse-battery-staple-41'

/** `totpSecret`: of administrators; empty for the others. */
type DemoAccount = { tenant: string; username: string; password: string; totpSecret: string }

/** A whole Wardline, of its own data folder, on the server's core or on all: its Postgres is started by it and so shares them. */
export class WardlineServer {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'wardline-load-'))
  url = ''
  ca = ''
  private child: ChildProcess | undefined
  private readonly others: ChildProcess[] = []
  private readonly over: Readonly<Record<string, string>>
  private readonly cores: 'one' | 'all'

  /**
   * @param over settings besides, or in place of, those of every load
   * @param cores all of them where it is not the CPU that is measured
   */
  constructor(over: Readonly<Record<string, string>> = {}, cores: 'one' | 'all' = 'one') {
    this.over = over
    this.cores = cores
  }

  async start(): Promise<void> {
    const port = await freePort()
    this.url = `https://localhost:${port}`
    this.child = await startPinned(SERVER, this.env(port), /localhost:\d+/, () => undefined, this.cores)
    this.ca = readFileSync(join(this.dataDir, 'tls', 'authority.crt'), 'utf8')
  }

  processes(): number[] {
    return this.child?.pid ? familyOf(this.child.pid) : []
  }

  /** Another node of the same installation, on the same core. `kill` ends it as a power cut does. */
  async startBeside(): Promise<{ readonly url: string; readonly ca: string; readonly kill: () => void }> {
    const port = await freePort()
    const env = { ...this.env(port), WARDLINE_SEQUENCER: 'off' }
    const other = await startPinned(SERVER, env, /localhost:\d+/, () => undefined)
    this.others.push(other)
    return { url: `https://localhost:${port}`, ca: this.ca, kill: () => void other.kill('SIGKILL') }
  }

  async stop(): Promise<void> {
    this.administrator?.close()
    for (const other of this.others) await stop(other)
    if (this.child) await stop(this.child)
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  /** So many nurses, `channels` patients with `perChannel` of them each. Answers the channels, in order, with who is in them. */
  async populate(people: number, channels: number, perChannel: number): Promise<Populated> {
    const names = Array.from({ length: people }, (_, i) => `load.nurse${i}`)
    const admin = await this.signInAsAdministrator()
    const ids = new Map<string, string>()
    await inParallel(names, async (username) => {
      const person = { username, displayName: username, roles: ['nurse'], password: PASSWORD }
      ids.set(username, (await admin.api.admin.createUser(person)).id)
    })
    this.administrator = admin
    const teams = Array.from({ length: channels }, (_, channel) =>
      Array.from({ length: perChannel }, (_, i) => names[(channel * perChannel + i) % people] as string),
    )
    await this.importTeams(teams)
    const byMrn = new Map(teams.map((team, channel) => [`LOAD ${channel}`, { team, channel }]))
    return { names, ids, byMrn }
  }

  /** The administrator by whom it was populated, signed in: a code of an authenticator is good once. */
  administrator: Wardline | undefined

  private async signInAsAdministrator(): Promise<Wardline> {
    const silent = () => ({ send: () => undefined, close: () => undefined })
    const admin = createWardline({ url: this.url, ca: this.ca, transport: silent })
    const { totpSecret, ...credentials } = this.accountOf('administrator')
    const asked = await admin.signIn(credentials)
    if (asked.status === 'second-factor') {
      const totp = new TOTP({ secret: Secret.fromBase32(totpSecret) }).generate()
      await admin.secondFactor({ challenge: asked.challenge, totp })
    }
    return admin
  }

  private accountOf(role: string): DemoAccount {
    const file = readFileSync(join(this.dataDir, 'demo-accounts.json'), 'utf8')
    const accounts = JSON.parse(file) as (DemoAccount & { roles: string[] })[]
    const found = accounts.find((account) => account.tenant === TENANT && account.roles.includes(role))
    if (!found) throw new Error(`no demo account is a ${role}`)
    const { tenant, username, password, totpSecret } = found
    return { tenant, username, password, totpSecret }
  }

  private async importTeams(teams: readonly string[][]): Promise<void> {
    const coding = [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }]
    const lines = teams.flatMap((team, channel) => {
      const id = randomUUID()
      const member = (value: string) => ({ member: { identifier: { system: 'urn:wardline:username', value } } })
      return [
        {
          resourceType: 'Patient',
          id,
          identifier: [{ type: { coding }, value: `LOAD ${channel}` }],
          name: [{ family: 'Load', given: [`Channel ${channel}`] }],
        },
        { resourceType: 'CareTeam', id, subject: { reference: `Patient/${id}` }, participant: team.map(member) },
      ]
    })
    const file = join(this.dataDir, 'load.ndjson')
    writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'))
    const args = [CLI, 'import', 'fhir', '--tenant', TENANT, file]
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...this.env(0) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    child.stdout.on('data', (chunk) => (said += chunk))
    child.stderr.on('data', (chunk) => (said += chunk))
    const [code] = (await once(child, 'exit')) as [number]
    if (code !== 0) throw new Error(`the import ended with ${code}:\n${said}`)
  }

  /** Limits on one address and one user are lifted: here one address is everybody. All others stand. */
  private env(port: number): Record<string, string> {
    return {
      WARDLINE_DEMO: '1',
      WARDLINE_DATA: this.dataDir,
      ...(port > 0 ? { WARDLINE_PORT: String(port) } : {}),
      WARDLINE_LOG_LEVEL: 'warn',
      WARDLINE_LIMITS_REQUESTS_PER_SECOND: '100000',
      WARDLINE_LIMITS_REQUEST_BURST: '100000',
      ...LIFTED,
      ...this.over,
    }
  }
}

export type Populated = {
  readonly names: readonly string[]
  /** By name. */
  readonly ids: ReadonlyMap<string, string>
  /** By a patient's MRN: which channel of the layout that is, and who is on the team. */
  readonly byMrn: ReadonlyMap<string, { readonly team: readonly string[]; readonly channel: number }>
}

const LIFTED = Object.fromEntries(
  [
    'PENDING_SOCKETS_PER_ADDRESS',
    'PENDING_SOCKETS',
    'CONNECTIONS_PER_MINUTE',
    'SIGN_INS_PER_MINUTE',
    'REFRESHES_PER_MINUTE',
    'UNKNOWN_CONNECTIONS_PER_ADDRESS',
    'UNKNOWN_CONNECTIONS',
    'HANDSHAKES_PER_MINUTE',
    'CALLS_PER_MINUTE',
    'FAULTS_PER_MINUTE',
    'USER_REQUESTS_PER_SECOND',
    'USER_REQUEST_BURST',
  ].map((name) => [`WARDLINE_LIMITS_${name}`, '1000000']),
)

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
