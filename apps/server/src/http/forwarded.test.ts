import type { IncomingMessage } from 'node:http'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAuthority, issueCertificate } from '../tls/local-authority.ts'
import { type ClientCertificates, createProxies } from './forwarded.ts'

const PROXY = '10.0.0.7'
const NOW = Date.UTC(2026, 5, 1)

type Told = { peer?: string; trusted?: string[]; certificates?: ClientCertificates; now?: number }

function arrival(headers: Record<string, string | string[]>, told: Told = {}) {
  const { peer = PROXY, trusted = ['10.0.0.0/24', '2001:db8::/32'], certificates = 'off', now = NOW } = told
  const request = { headers: { ...headers }, socket: { remoteAddress: peer } } as unknown as IncomingMessage
  const proxies = createProxies(trusted, certificates, () => now)
  const first = proxies.arrivalOf(request)
  expect(proxies.arrivalOf(request)).toBe(first)
  return { ...first, left: Object.keys(request.headers) }
}

describe('R-08, ASVS 15.3.4: the address', () => {
  test.each<[string, string, string]>([
    ['one proxy', '203.0.113.9', '203.0.113.9'],
    ['two proxies', '203.0.113.9, 10.0.0.8', '203.0.113.9'],
    ['what the client made up before it', '1.1.1.1, 8.8.8.8, 203.0.113.9', '203.0.113.9'],
    ['what the client made up, one of ours too', '10.0.0.9, 203.0.113.9, 10.0.0.8', '203.0.113.9'],
    ['nothing but ours', '10.0.0.9, 10.0.0.8', '10.0.0.9'],
    ['IPv6', '2606:4700::1111', '2606:4700::1111'],
    ['IPv6 behind ours', '2606:4700::1111, 2001:db8::1', '2606:4700::1111'],
    ['IPv4 as IPv6', '::ffff:203.0.113.9', '203.0.113.9'],
    ['a port', '203.0.113.9:4711', '203.0.113.9'],
    ['brackets and a port', '[2606:4700::1111]:4711', '2606:4700::1111'],
    ['a zone', 'fe80::1%eth0', 'fe80::1'],
    ['spaces', '  203.0.113.9  ', '203.0.113.9'],
    ['no address', 'unknown', PROXY],
    ['no address where a proxy’s should be', '203.0.113.9, _hidden', PROXY],
    ['nothing', '', PROXY],
    ['half an address', '203.0.113', PROXY],
    ['an address and more', '203.0.113.9 evil', PROXY],
  ])('%s: the rightmost that is no proxy of ours', (_name, header, address) => {
    expect(arrival({ 'x-forwarded-for': header }).address).toBe(address)
  })

  test.each(['203.0.113.9', '10.0.1.7', '::ffff:10.0.1.7', '2001:db9::1', '127.0.0.1'])(
    'is that of %s, who is no proxy of ours, whatever it says',
    (peer) => {
      const said = { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'http', 'client-cert': ':AAAA:' }
      const { address, secure, certificate } = arrival(said, { peer, certificates: 'required' })
      expect([address, secure, certificate]).toEqual([peer.replace('::ffff:', ''), true, null])
    },
  )

  test('with no proxy configured, nobody is one', () => {
    expect(arrival({ 'x-forwarded-for': '192.0.2.1' }, { trusted: [] }).address).toBe(PROXY)
  })

  test('an IPv4 proxy is known by its IPv6 form too', () => {
    expect(arrival({ 'x-forwarded-for': '192.0.2.1' }, { peer: `::ffff:${PROXY}` }).address).toBe('192.0.2.1')
  })

  test('is never what stands left of the first address that is no proxy', () => {
    const made = fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), { maxLength: 20 })
    fc.assert(
      fc.property(made, (invented) => {
        const header = [...invented.map((each) => each.replaceAll(',', '')), '198.51.100.77', '10.0.0.200'].join(',')
        expect(arrival({ 'x-forwarded-for': header }).address).toBe('198.51.100.77')
      }),
    )
  })
})

describe('R-01: how the client spoke to the proxy', () => {
  test.each<[string | string[], boolean]>([
    ['https', true],
    ['HTTPS', true],
    ['wss', true],
    ['https, https', true],
    ['http', false],
    ['http, https', false],
    ['https, http', false],
    ['', false],
    ['gopher', false],
  ])('%j: secure is %s', (header, secure) => {
    expect(arrival({ 'x-forwarded-proto': header }).secure).toBe(secure)
  })

  test('not stated: the proxy has its own rules', () => expect(arrival({}).secure).toBe(true))
})

test('R-08 what proxies say is on no request afterwards, whoever said it', () => {
  const said = {
    'x-forwarded-for': '192.0.2.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'evil.test',
    forwarded: 'for=192.0.2.1;host=evil.test',
    'x-real-ip': '192.0.2.1',
    'client-cert': ':AAAA:',
    'client-cert-chain': ':AAAA:',
    'user-agent': 'a browser',
  }
  for (const peer of [PROXY, '203.0.113.9']) expect(arrival(said, { peer }).left).toEqual(['user-agent'])
})

describe('RFC 9440: the client’s certificate', async () => {
  const authority = await createAuthority(NOW)
  const { certificate: pem } = await issueCertificate(authority, ['device-17'], NOW)
  const der = pem.replace(/-----[A-Z ]+-----|\s/g, '')
  const asked = { certificates: 'required' as const }

  test('is known by its thumbprint, where a proxy of ours hands it on', () => {
    const { certificate } = arrival({ 'client-cert': `:${der}:` }, asked)
    expect(certificate).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  test.each<[string, string | string[]]>([
    ['no byte sequence', der],
    ['two of them', `:${der}:, :${der}:`],
    ['no base64', ':certainly not:'],
    ['no certificate', ':AAAA:'],
    ['half a certificate', `:${der.slice(0, 200)}:`],
    ['nothing', '::'],
    ['PEM', pem.replaceAll('\n', ' ')],
  ])('%s is none', (_name, header) => {
    expect(arrival({ 'client-cert': header }, asked).certificate).toBeNull()
  })

  test('is none before and after its time', () => {
    const days = (count: number) => ({ ...asked, now: NOW + count * 86_400_000 })
    expect(arrival({ 'client-cert': `:${der}:` }, days(-1)).certificate).toBeNull()
    expect(arrival({ 'client-cert': `:${der}:` }, days(89)).certificate).not.toBeNull()
    expect(arrival({ 'client-cert': `:${der}:` }, days(91)).certificate).toBeNull()
  })

  test('is asked for by nobody where client certificates are off', () => {
    expect(arrival({ 'client-cert': `:${der}:` }).certificate).toBeNull()
  })
})
