#!/usr/bin/env node
/**
 * Stands in for Prisma's schema-engine binary: the same JSON-RPC over stdio, answered by Prisma's own WebAssembly build
 * of that engine over `pg`. So `prisma generate|validate|migrate …` work with the npm registry alone.
 *
 * prisma.config.ts points PRISMA_SCHEMA_ENGINE_BINARY here. The package versions of `prisma`, `@prisma/adapter-pg`,
 * `@prisma/driver-adapter-utils` and `@prisma/schema-engine-wasm` belong together.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils'
import pg from 'pg'

const CONNECT_TIMEOUT_MS = 5_000
const CHAR_OID = 18
const TEXT_OID = 25

const args = process.argv.slice(2)
const values = (name) => args.flatMap((arg, index) => (arg === name ? [args[index + 1]] : []))
const [datasource] = values('--datasource')
let started
const url = datasource ? JSON.parse(datasource).url : undefined

/** The connection settings of a Postgres URL, in the form that lets the database be swapped. */
function connectionConfig() {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url)
  return {
    host: decodeURIComponent(hostname),
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...(['require', 'verify-ca', 'verify-full'].includes(searchParams.get('sslmode')) && { ssl: {} }),
  }
}

async function withClient(config, use) {
  const client = new pg.Client(config)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

async function connectOnce() {
  await withClient(connectionConfig(), (client) => client.query('SELECT 1'))
}

async function createDatabase() {
  const config = connectionConfig()
  await withClient({ ...config, database: 'postgres' }, (client) =>
    client.query(`CREATE DATABASE ${client.escapeIdentifier(config.database)}`),
  )
}

/** A command of one step; its failure is told the way the CLI reads it. */
async function once(step) {
  try {
    await step()
  } catch (error) {
    const code = error.code === '3D000' ? 'P1003' : 'P1001'
    const fields = { message: error.message, error_code: code }
    process.stderr.write(`${JSON.stringify({ level: 'ERROR', target: 'schema_engine::logger', fields })}\n`)
    process.exitCode = 1
  }
}

/** Makes adapter-pg do what the schema engine needs of it and the query engine does not. */
function forSchemaEngine(connection) {
  // The adapter maps no type for "char", which the system catalogues use; the engine wants a Character.
  const performIO = connection.performIO.bind(connection)
  const queryRaw = connection.queryRaw.bind(connection)
  let charColumns = []
  connection.performIO = async (query) => {
    const result = await performIO(query)
    charColumns = []
    for (const [index, field] of (result.fields ?? []).entries()) {
      if (field.dataTypeID !== CHAR_OID) continue
      charColumns.push(index)
      field.dataTypeID = TEXT_OID
    }
    return result
  }
  connection.queryRaw = async (query) => {
    const result = await queryRaw(query)
    for (const index of charColumns) result.columnTypes[index] = ColumnTypeEnum.Character
    return result
  }
  // The adapter splits scripts on ';', which breaks $$-quoted bodies: the simple protocol takes a script whole.
  connection.executeScript = async (script) => {
    try {
      await connection.client.query(script)
    } catch (error) {
      connection.onError(error)
    }
  }
  return connection
}

class EngineAdapterFactory extends PrismaPg {
  #config
  constructor(config) {
    super(config)
    this.#config = config
  }
  async connect() {
    return forSchemaEngine(await super.connect())
  }
  /** The adapter's own drops the shadow database before it closes its pool on it, which Postgres refuses. */
  async connectToShadowDb() {
    const database = `prisma_migrate_shadow_db_${randomUUID()}`
    await withClient(this.#config, (client) => client.query(`CREATE DATABASE "${database}"`))
    const connection = await new EngineAdapterFactory({ ...this.#config, database }).connect()
    const dispose = connection.dispose.bind(connection)
    connection.dispose = async () => {
      await dispose()
      await withClient(this.#config, (client) => client.query(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`))
    }
    return connection
  }
}

async function startEngine() {
  const require = createRequire(import.meta.url)
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg')
  const wasm = require.resolve('@prisma/schema-engine-wasm').replace(/schema_engine\.js$/, 'schema_engine_bg.wasm')
  const { instance } = await WebAssembly.instantiate(readFileSync(wasm), { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  // The engine hands the text of a panic to this name.
  globalThis.PRISMA_WASM_PANIC_REGISTRY = {
    set_message: (message) => process.stderr.write(`schema engine panicked: ${message}\n`),
  }
  const datamodels = values('--datamodels').map((path) => [path, readFileSync(path, 'utf8')])
  return glue.SchemaEngine.new(
    { datamodels: datamodels.length > 0 ? datamodels : undefined },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(new EngineAdapterFactory(url ? connectionConfig() : {})),
  )
}

async function answer({ id, method, params }) {
  const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...message })}\n`)
  try {
    // Started here, so that a database out of reach is an answer: the CLI takes an engine that dies for one that is done.
    started ??= startEngine()
    const engine = await started
    if (method === 'evaluateDataLoss' || method === 'createMigration') {
      // These two use a shadow database only through the cache that devDiagnostic fills.
      await engine.devDiagnostic({ migrationsList: params.migrationsList, filters: params.filters })
    }
    const result = await engine[method === 'getDatabaseVersion' ? 'version' : method](params)
    if (method === 'diff' && result?.stdout) {
      // The binary prints a diff through a request of its own to the CLI.
      send({ id: 100_000 + id, method: 'print', params: { content: result.stdout } })
    }
    send({ result: result ?? null })
  } catch (error) {
    const data = { is_panic: false, message: error.message, error_code: error.code }
    send({ error: { code: 4466, message: error.message, data } })
  }
}

async function serve() {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    const request = JSON.parse(line)
    if (request.method) await answer(request)
  }
  process.exit(0)
}

// Last, because classes are not hoisted.
if (args[0] === '--version') {
  process.stdout.write('schema-engine-cli wasm\n')
} else if (args.includes('can-connect-to-database')) {
  await once(connectOnce)
} else if (args.includes('create-database')) {
  await once(createDatabase)
} else {
  await serve()
}
