import { describe, expect, it } from 'vitest'
import { refusalOfUpgrade } from './upgrade.ts'

const good = {
  url: '/ws',
  isUpgrade: true,
  origin: 'https://localhost:8443',
  key: 'dGhlIHNhbXBsZSBub25jZQ==',
  subprotocols: 'wardline.v1',
}
const site = { isAllowedOrigin: (origin: string | undefined) => origin === 'https://localhost:8443' }

describe('R-02 R-03 upgrade', () => {
  it('takes what the SDK asks for', () => {
    expect(refusalOfUpgrade(good, site)).toBeNull()
    expect(refusalOfUpgrade({ ...good, subprotocols: 'other, wardline.v1' }, site)).toBeNull()
  })

  it.each([
    [{ url: '/ws?token=x' }, 'token-in-url'],
    [{ url: '/ws?' }, 'token-in-url'],
    [{ isUpgrade: false }, 'malformed'],
    [{ key: undefined }, 'malformed'],
    [{ key: 'dGhlIHNhbXBsZSBub25jZQ' }, 'malformed'],
    [{ origin: undefined }, 'origin'],
    [{ origin: 'null' }, 'origin'],
    [{ origin: 'https://localhost:8443.evil.example' }, 'origin'],
    [{ subprotocols: undefined }, 'subprotocol'],
    [{ subprotocols: '' }, 'subprotocol'],
    [{ subprotocols: 'wardline.v2' }, 'subprotocol'],
    [{ subprotocols: 'Wardline.v1' }, 'subprotocol'],
    [{ subprotocols: 'wardline.v1,' }, 'subprotocol'],
    [{ subprotocols: 'wardline.v1, wardline.v1' }, 'subprotocol'],
    [{ subprotocols: 'wardline.v1, a token' }, 'subprotocol'],
  ])('refuses %o as %s', (twisted, reason) => {
    expect(refusalOfUpgrade({ ...good, ...twisted }, site)).toMatchObject({ reason })
  })
})
