import { describe, expect, it } from 'vitest'
import { guardedLookup, isAllowedHost, targetsWith } from './target.ts'

const none = targetsWith([])

describe('what a webhook may be sent to', () => {
  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '192.0.2.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    '64:ff9b::a00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    '2001::1',
    'localhost',
    '',
  ])('not %s', (address) => {
    expect(none.allows(address)).toBe(false)
  })

  it.each(['8.8.8.8', '172.32.0.1', '192.169.0.1', '2606:4700::1111', '2a00:1450:4001::200e', '::ffff:8.8.8.8'])(
    'public: %s',
    (address) => {
      expect(none.allows(address)).toBe(true)
    },
  )

  it('networks that the operator allows, and no others', () => {
    const some = targetsWith(['10.20.0.0/16', 'fd00:1::/32', '127.0.0.1'])
    expect(['10.20.3.4', 'fd00:1::5', '127.0.0.1', '::ffff:10.20.0.1'].map((each) => some.allows(each))).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(['10.21.0.1', 'fd00:2::1', '127.0.0.2', '::1'].map((each) => some.allows(each))).toEqual([
      false,
      false,
      false,
      false,
    ])
  })

  it('an address in the URL however it is spelt', () => {
    const hosts = [
      'https://0x7f.1/',
      'https://2130706433/',
      'https://[::1]/',
      'https://127.1/',
      'https://[::ffff:7f00:1]/',
    ]
    for (const url of hosts) expect(isAllowedHost(none, new URL(url).hostname), url).toBe(false)
    expect(isAllowedHost(none, 'hooks.example.org')).toBe(true)
  })

  it('a name by what it resolves to, when the connection is made', async () => {
    const ask = (all: boolean) =>
      new Promise((resolve) => {
        guardedLookup(none)('localhost', { all }, (error, address) => resolve(error === null ? address : error.code))
      })
    expect([await ask(true), await ask(false)]).toEqual(['NOT_ALLOWED', 'NOT_ALLOWED'])
    const here = targetsWith(['127.0.0.1', '::1'])
    const found = await new Promise((resolve) => {
      guardedLookup(here)('localhost', { all: false }, (_error, address) => resolve(address))
    })
    expect(['127.0.0.1', '::1']).toContain(found)
  })
})
