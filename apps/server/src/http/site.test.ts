import { describe, expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { createSite } from './site.ts'

const site = createSite(
  loadConfig({ WARDLINE_PUBLIC_URL: 'https://ward.example', WARDLINE_ALLOWED_ORIGINS: 'https://portal.example' }),
)

describe('site', () => {
  test.each(['https://ward.example', 'https://portal.example'])('R-02: %s may call', (origin) => {
    expect(site.isAllowedOrigin(origin)).toBe(true)
  })

  test.each([
    'null',
    '*',
    '',
    'http://ward.example',
    'https://ward.example/',
    'https://ward.example:443',
    'https://ward.example.evil.test',
    'https://evilward.example',
    'https://sub.ward.example',
    'https://WARD.example',
    'https://ward.example, https://evil.test',
    'https://localhost',
  ])('R-02: the origin %j may not', (origin) => {
    expect(site.isAllowedOrigin(origin)).toBe(false)
  })

  test('R-02: no origin at all, only where the operator allows it', () => {
    expect(site.isAllowedOrigin(undefined)).toBe(false)
    expect(createSite(loadConfig({ WARDLINE_ALLOW_NO_ORIGIN: '1' })).isAllowedOrigin(undefined)).toBe(true)
  })

  test.each(['https://ward.example/ws', 'https://WARD.example:443/ws', 'https://ward.example/a/../ws'])(
    '%s means this server’s /ws',
    (htu) => expect(site.matchesTarget(htu, '/ws')).toBe(true),
  )

  test.each([
    'https://ward.example/ws?a=1',
    'https://ward.example/ws#a',
    'https://u@ward.example/ws',
    'http://ward.example/ws',
    'wss://ward.example/ws',
    'https://ward.example/ws/',
    'https://ward.example/WS',
    'https://portal.example/ws',
    '/ws',
    '',
    `https://ward.example/ws${' '.repeat(3_000)}`,
  ])('%j does not', (htu) => expect(site.matchesTarget(htu, '/ws')).toBe(false))

  test.each([
    ['https://ward.example', 'ward.example'],
    ['https://ward.example:8443', 'ward.example'],
    ['https://192.0.2.7', null],
    ['https://[2001:db8::7]:8443', null],
  ])('R-11: passkeys of %s are bound to %s', (WARDLINE_PUBLIC_URL, rpId) => {
    const own = createSite(loadConfig({ WARDLINE_PUBLIC_URL, WARDLINE_ALLOWED_ORIGINS: 'https://portal.example' }))
    expect(own.rpId).toBe(rpId)
    expect(own.passkeyOrigins).toEqual(rpId === null ? [] : [WARDLINE_PUBLIC_URL])
  })

  test('R-11: on this machine, those of its name and not of its addresses', () => {
    const local = createSite(loadConfig({ WARDLINE_PORT: '4711' }))
    expect(local.rpId).toBe('localhost')
    expect(local.passkeyOrigins).toEqual(['https://localhost:4711'])
  })

  test('with port 0, this machine’s addresses follow the port that was given', () => {
    const local = createSite(loadConfig({ WARDLINE_PORT: '0' }))
    local.listeningOn(4711)
    expect(local.url('/ws')).toBe('https://localhost:4711/ws')
    expect(local.isAllowedOrigin('https://127.0.0.1:4711')).toBe(true)
    expect(local.socketOrigins).toContain('wss://localhost:4711')
  })
})
