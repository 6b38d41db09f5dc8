import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_LIMITS } from '@wardline/protocol'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError, loadConfig } from './config.ts'
import { envExample } from './env-example.ts'
import { settings } from './settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'wardline-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('loadConfig', () => {
  test('an empty environment gives the stated defaults', () => {
    const config = loadConfig({ PATH: '/usr/bin', WARDLINE_PORT: '' })
    expect(config).toMatchObject({
      demo: false,
      host: '0.0.0.0',
      port: 8443,
      databaseUrl: null,
      publicUrl: null,
      allowedOrigins: [],
      allowNoOrigin: false,
      trustedProxies: [],
      tls: null,
      clientCertificates: 'off',
      clientCaFile: null,
      accessTokenSeconds: 300,
      sessionMs: 12 * 3_600_000,
      argon2: { memoryKiB: 19_456, iterations: 2, parallelism: 1, concurrency: 2 },
      limits: DEFAULT_LIMITS,
      logFile: null,
    })
    expect(config.dataDir).toMatch(/\/\.data$/)
    expect(config.keysDir).toBe(join(config.dataDir, 'keys'))
  })

  test('a demonstration listens on this machine alone and logs to a file', () => {
    const config = loadConfig({ WARDLINE_DEMO: '1' })
    expect(config.host).toBe('127.0.0.1')
    expect(config.logFile).toBe(join(config.dataDir, 'wardline.log'))
    expect(problemsOf({ WARDLINE_DEMO: '1', WARDLINE_HOST: '0.0.0.0' })).toEqual([
      'WARDLINE_HOST: a demo listens on this machine alone; unset it, or set WARDLINE_DEMO=0.',
    ])
  })

  test('every limit can be set, and bounds are kept', () => {
    const config = loadConfig({ WARDLINE_LIMITS_FRAME_BYTES: '1000', WARDLINE_LIMITS_PENDING_SOCKETS: '7' })
    expect(config.limits).toEqual({ ...DEFAULT_LIMITS, frameBytes: 1000 })
    expect(config.preAuth.pendingSockets).toBe(7)
    expect(problemsOf({ WARDLINE_LIMITS_BODY_LENGTH: '16001' })).toHaveLength(1)
    expect(problemsOf({ WARDLINE_ARGON2_MEMORY_KIB: '8' })).toHaveLength(1)
    expect(problemsOf({ WARDLINE_ACCESS_TOKEN_SECONDS: '301' }), 'R-12: at most five minutes').toHaveLength(1)
  })

  test('every problem is reported at once, one line each, with its fix', () => {
    const problems = problemsOf({
      WARDLINE_PORT: 'abc',
      WARDLINE_DATABASE_URL: 'mysql://root:hunter2@localhost/x',
      WARDLINE_PUBLIC_URL: 'http://localhost:8443',
      WARDLINE_ALLOWED_ORIGIN: 'https://typo.example',
      WARDLINE_TRUSTED_PROXIES: '0.0.0.0/0',
    })
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'WARDLINE_ALLOWED_ORIGIN',
      'WARDLINE_PORT',
      'WARDLINE_DATABASE_URL',
      'WARDLINE_PUBLIC_URL',
      'WARDLINE_TRUSTED_PROXIES',
    ])
    for (const problem of problems) expect(problem).toMatch(/^WARDLINE_[A-Z_]+: [^\n]+\.$/)
    expect(problems.join(), 'a value may be a secret').not.toContain('hunter2')
  })

  test.each([
    '*',
    'null',
    'https://*.example.org',
    'http://a.example',
    'https://a.example/path',
    'a.example',
    ',',
    'https://u@a.example',
  ])('R-02: the origin %j stops the start', (origin) => {
    expect(problemsOf({ WARDLINE_ALLOWED_ORIGINS: `https://good.example,${origin}` })).toEqual([
      expect.stringMatching(/^WARDLINE_ALLOWED_ORIGINS: /),
    ])
  })

  test('origins are taken as a list', () => {
    const config = loadConfig({ WARDLINE_ALLOWED_ORIGINS: 'https://a.example, https://b.example:444/' })
    expect(config.allowedOrigins).toEqual(['https://a.example', 'https://b.example:444'])
  })

  test('a secret can come from a file, from nowhere else at the same time', () => {
    const file = join(folder, 'url')
    writeFileSync(file, 'postgresql://owner:secret@db/wardline\n')
    expect(loadConfig({ WARDLINE_DATABASE_URL_FILE: file }).databaseUrl).toBe('postgresql://owner:secret@db/wardline')
    expect(problemsOf({ WARDLINE_DATABASE_URL_FILE: file, WARDLINE_DATABASE_URL: 'postgresql://a@b/c' })).toEqual([
      'WARDLINE_DATABASE_URL: is set directly and by WARDLINE_DATABASE_URL_FILE; keep one of them.',
    ])
    expect(problemsOf({ WARDLINE_DATABASE_URL_FILE: join(folder, 'none') })[0]).toContain('cannot be read (ENOENT)')
    expect(problemsOf({ WARDLINE_PORT_FILE: file }), 'a port is no secret').toHaveLength(1)
  })

  test('settings that go together are asked for together', () => {
    expect(problemsOf({ WARDLINE_TLS_CERT_FILE: '/a.crt' })).toHaveLength(1)
    expect(problemsOf({ WARDLINE_DATABASE_APP_URL: 'postgresql://app@db/wardline' })).toHaveLength(1)
  })
})

describe('.env.example', () => {
  // A deliberate change of the settings: `vitest run apps/server/src/config.test.ts -u` writes the file anew.
  test('is what the settings generate', async () => {
    await expect(envExample()).toMatchFileSnapshot('../../../.env.example')
  })

  test('holds values that the settings take', () => {
    const shown = Object.fromEntries(Object.entries(settings).map(([name, { shown }]) => [name, shown]))
    expect(problemsOf({ ...shown, WARDLINE_DEMO: '0' })).toEqual([])
  })
})
