import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PreAuthLimits, SignedInLimits } from '@wardline/protocol'
import type { z } from 'zod'
import type { AuditS3 } from './audit/log-store.ts'
import { limitOf } from './limit-settings.ts'
import { witnessOf } from './setting-kinds.ts'
import { settingSchema, settings } from './settings.ts'

/** The repository's root, where `.data` is when nothing else is said. */
const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..')

/** Everything that is decided before the start. Plain data: tests make their own. */
export type Config = {
  readonly demo: boolean
  readonly host: string
  /** 0: any free one (tests). */
  readonly port: number
  /** Absolute; what the server writes lives below it. */
  readonly dataDir: string
  readonly keysDir: string
  /** Null: PostgreSQL from npm, under `dataDir`. Secret, as is the next. */
  readonly databaseUrl: string | null
  readonly databaseAppUrl: string | null
  readonly databaseSequencerUrl: string | null
  readonly sequencer: 'embedded' | 'off'
  readonly bus: 'postgres' | 'off'
  readonly alerts: {
    readonly run: 'embedded' | 'off'
    /** An event without a place in the audit log for so long raises an alert. */
    readonly staleMs: number
    /** Private networks that webhooks may be sent to, as CIDRs. */
    readonly webhookNetworks: readonly string[]
    /** Authorities that webhooks trust besides the usual ones: a PEM file. */
    readonly webhookCaFile: string | null
  }
  /** The audit log's tiles and checkpoints. */
  readonly auditDir: string
  /** A bucket for them in place of that folder. Holds a secret. */
  readonly auditS3: AuditS3 | null
  /** Who cosigns its checkpoints. */
  readonly witnesses: readonly { readonly url: string; readonly vkey: string }[]
  /** The origin that people type; null: `https://localhost:<port>`. */
  readonly publicUrl: string | null
  /** Origins besides the public URL's own. */
  readonly allowedOrigins: readonly string[]
  readonly allowNoOrigin: boolean
  readonly trustedProxies: readonly string[]
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null
  readonly clientCertificates: 'off' | 'required'
  /** PEM of the authorities of client certificates; null: proxies alone verify them. */
  readonly clientCaFile: string | null
  readonly accessTokenSeconds: number
  /** 0: no schedule. */
  readonly signingKeyDays: number
  readonly sessionMs: number
  /** How old a proof may be for what is of high risk; 0: any age. */
  readonly setUpMs: number
  readonly stepUpMs: number
  /** Whether a session that is bound to a client certificate needs no step-up. */
  readonly stepUpByCertificate: boolean
  readonly argon2: Argon2Parameters
  readonly limits: SignedInLimits
  readonly preAuth: PreAuthLimits
  /** Where `/metrics` is served; null: nowhere. */
  readonly metrics: { readonly host: string; readonly port: number } | null
  readonly logLevel: LogLevel
  /** Null: standard output. */
  readonly logFile: string | null
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** RFC 9106 §3.1. `concurrency`: how many passwords are hashed at once, each on a thread of its own. */
export type Argon2Parameters = {
  readonly memoryKiB: number
  readonly iterations: number
  readonly parallelism: number
  readonly concurrency: number
}

/** The environment does not make a configuration. `problems`: one line each, with what to do; never a secret's value. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/**
 * Reads the configuration from the environment: the only place that does. An empty value counts as none.
 * @throws ConfigError with every problem at once.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const problems: string[] = []
  const given = { ...unknownNamesRefused(env, problems), ...secretsFromFiles(env, problems) }
  const parsed = settingSchema.safeParse(given)
  if (!parsed.success) problems.push(...new Set(parsed.error.issues.map(problemOf)))
  if (!parsed.success) throw new ConfigError(problems)
  const values = parsed.data
  problems.push(...contradictions(values))
  if (problems.length > 0) throw new ConfigError(problems)
  return toConfig(values)
}

type Values = z.infer<typeof settingSchema>

/** A misspelt setting would otherwise be ignored in silence, and some of them are what keeps strangers out. */
function unknownNamesRefused(env: NodeJS.ProcessEnv, problems: string[]): Record<string, string> {
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('WARDLINE_') || value === undefined || value === '') continue
    if (name in settings) given[name] = value
    else if (!isFileVariant(name))
      problems.push(`${name}: there is no such setting; see .env.example for those there are.`)
  }
  return given
}

function isFileVariant(name: string): boolean {
  return name.endsWith('_FILE') && settings[name.slice(0, -'_FILE'.length)]?.secret === true
}

function secretsFromFiles(env: NodeJS.ProcessEnv, problems: string[]): Record<string, string> {
  const read: Record<string, string> = {}
  for (const [name, setting] of Object.entries(settings)) {
    const file = env[`${name}_FILE`]
    if (setting.secret !== true || file === undefined || file === '') continue
    if (env[name] !== undefined && env[name] !== '') {
      problems.push(`${name}: is set directly and by ${name}_FILE; keep one of them.`)
      continue
    }
    try {
      read[name] = readFileSync(file, 'utf8').trim()
    } catch (error) {
      problems.push(`${name}_FILE: cannot be read (${errorCode(error)}); name a file that the server may read.`)
    }
  }
  return read
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unreadable'
}

function problemOf(issue: z.core.$ZodIssue): string {
  const name = String(issue.path[0])
  return `${name}: ${settings[name]?.fix ?? issue.message}.`
}

function contradictions(values: Values): string[] {
  const problems: string[] = []
  if (values.WARDLINE_DEMO && !isLoopback(values.WARDLINE_HOST ?? '127.0.0.1')) {
    problems.push('WARDLINE_HOST: a demo listens on this machine alone; unset it, or set WARDLINE_DEMO=0.')
  }
  if ((values.WARDLINE_TLS_CERT_FILE === undefined) !== (values.WARDLINE_TLS_KEY_FILE === undefined)) {
    problems.push('WARDLINE_TLS_CERT_FILE: goes with WARDLINE_TLS_KEY_FILE; set both or neither.')
  }
  if (values.WARDLINE_CLIENT_CERTIFICATES === 'required' && values.WARDLINE_CLIENT_CA_FILE === undefined) {
    if (values.WARDLINE_TRUSTED_PROXIES.length === 0)
      problems.push('WARDLINE_CLIENT_CERTIFICATES: nobody could verify one; set WARDLINE_CLIENT_CA_FILE as well.')
  }
  if (values.WARDLINE_DATABASE_APP_URL !== undefined && values.WARDLINE_DATABASE_URL === undefined) {
    problems.push('WARDLINE_DATABASE_APP_URL: goes with WARDLINE_DATABASE_URL, which migrates; set that too.')
  }
  const s3 = [
    'WARDLINE_AUDIT_S3_URL',
    'WARDLINE_AUDIT_S3_ACCESS_KEY_ID',
    'WARDLINE_AUDIT_S3_SECRET_ACCESS_KEY',
  ] as const
  if (new Set(s3.map((name) => values[name] === undefined)).size > 1) {
    problems.push(`${s3.join(', ')}: go together; set all of them or none.`)
  }
  return problems
}

function s3Of(values: Values): AuditS3 | null {
  const url = values.WARDLINE_AUDIT_S3_URL
  if (url === undefined) return null
  return {
    url,
    region: values.WARDLINE_AUDIT_S3_REGION,
    accessKeyId: values.WARDLINE_AUDIT_S3_ACCESS_KEY_ID ?? '',
    secretAccessKey: values.WARDLINE_AUDIT_S3_SECRET_ACCESS_KEY ?? '',
    retentionDays: values.WARDLINE_AUDIT_S3_RETENTION_DAYS,
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

function toConfig(values: Values): Config {
  const dataDir = resolve(ROOT, values.WARDLINE_DATA)
  const cert = values.WARDLINE_TLS_CERT_FILE
  const key = values.WARDLINE_TLS_KEY_FILE
  return {
    demo: values.WARDLINE_DEMO,
    host: values.WARDLINE_HOST ?? (values.WARDLINE_DEMO ? '127.0.0.1' : '0.0.0.0'),
    port: values.WARDLINE_PORT,
    dataDir,
    keysDir: values.WARDLINE_KEYS_DIR === undefined ? join(dataDir, 'keys') : resolve(ROOT, values.WARDLINE_KEYS_DIR),
    databaseUrl: values.WARDLINE_DATABASE_URL ?? null,
    databaseAppUrl: values.WARDLINE_DATABASE_APP_URL ?? null,
    databaseSequencerUrl: values.WARDLINE_DATABASE_SEQUENCER_URL ?? null,
    sequencer: values.WARDLINE_SEQUENCER,
    bus: values.WARDLINE_BUS,
    alerts: {
      run: values.WARDLINE_ALERTS,
      staleMs: values.WARDLINE_ALERTS_STALE_SECONDS * 1000,
      webhookNetworks: values.WARDLINE_WEBHOOK_NETWORKS,
      webhookCaFile: values.WARDLINE_WEBHOOK_CA_FILE ?? null,
    },
    auditS3: s3Of(values),
    witnesses: values.WARDLINE_WITNESSES.map(witnessOf),
    auditDir:
      values.WARDLINE_AUDIT_DIR === undefined ? join(dataDir, 'audit-log') : resolve(ROOT, values.WARDLINE_AUDIT_DIR),
    publicUrl: values.WARDLINE_PUBLIC_URL ?? null,
    allowedOrigins: values.WARDLINE_ALLOWED_ORIGINS,
    allowNoOrigin: values.WARDLINE_ALLOW_NO_ORIGIN,
    trustedProxies: values.WARDLINE_TRUSTED_PROXIES,
    tls:
      cert === undefined || key === undefined ? null : { certFile: resolve(ROOT, cert), keyFile: resolve(ROOT, key) },
    clientCertificates: values.WARDLINE_CLIENT_CERTIFICATES,
    clientCaFile: values.WARDLINE_CLIENT_CA_FILE === undefined ? null : resolve(ROOT, values.WARDLINE_CLIENT_CA_FILE),
    accessTokenSeconds: values.WARDLINE_ACCESS_TOKEN_SECONDS,
    signingKeyDays: values.WARDLINE_SIGNING_KEY_DAYS,
    sessionMs: values.WARDLINE_SESSION_HOURS * 3_600_000,
    setUpMs: values.WARDLINE_SET_UP_HOURS * 3_600_000,
    stepUpMs: values.WARDLINE_STEP_UP_MINUTES * 60_000,
    stepUpByCertificate: values.WARDLINE_STEP_UP_BY_CERTIFICATE,
    argon2: {
      memoryKiB: values.WARDLINE_ARGON2_MEMORY_KIB,
      iterations: values.WARDLINE_ARGON2_ITERATIONS,
      parallelism: values.WARDLINE_ARGON2_PARALLELISM,
      concurrency: values.WARDLINE_ARGON2_CONCURRENCY,
    },
    limits: limitOf.socket(values),
    preAuth: limitOf.preAuth(values),
    metrics:
      values.WARDLINE_METRICS_PORT === undefined
        ? null
        : { host: values.WARDLINE_METRICS_HOST, port: values.WARDLINE_METRICS_PORT },
    logLevel: values.WARDLINE_LOG_LEVEL,
    logFile: logFileOf(values, dataDir),
  }
}

function logFileOf({ WARDLINE_LOG_FILE: file, WARDLINE_DEMO: demo }: Values, dataDir: string): string | null {
  if (file !== undefined) return resolve(ROOT, file)
  return demo ? join(dataDir, 'wardline.log') : null
}
