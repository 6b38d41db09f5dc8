import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'

/** What came out somewhere, by the name of the place. */
export type Haystack = { readonly place: string; readonly bytes: Buffer }

/** Everything in a folder, however deep: PostgreSQL's files and its log among it. */
export function filesIn(folder: string): Haystack[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => lstatSync(path).isFile())
    .map((path) => ({ place: path, bytes: readFileSync(path) }))
}

/** Every row of every table there is, system catalogues included, as a dump writes it; and what PostgreSQL was asked last. */
export async function dumpOf(url: string): Promise<Haystack[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    // What is in memory alone goes to the files that are searched next.
    await client.query('CHECKPOINT')
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('information_schema', 'pg_toast')
       UNION ALL SELECT 'pg_stat_activity'`,
    )
    const dumped: Haystack[] = []
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`)
      dumped.push({ place: `table ${name}`, bytes: Buffer.from(rows.map(({ row }) => row).join('\n')) })
    }
    return dumped
  } finally {
    await client.end()
  }
}

/** Listens on the server's bus until it is closed. */
export async function listenOn(url: string, channel: string): Promise<{ heard: string[]; close(): Promise<void> }> {
  const client = new pg.Client({ connectionString: url })
  const heard: string[] = []
  client.on('error', () => undefined)
  await client.connect()
  // A node that is alone tells nobody anything: this one says that it is there, and again whenever it is greeted.
  const greet = () => client.query('SELECT pg_notify($1, $2)', [channel, JSON.stringify({ from: 'canary', hints: [] })])
  client.on('notification', ({ payload = '' }) => {
    if (payload.includes('"from":"canary"')) return
    heard.push(payload)
    if (payload.endsWith('"hints":[]}')) greet().catch(() => undefined)
  })
  await client.query(`LISTEN ${channel}`)
  await greet()
  return { heard, close: () => client.end() }
}
