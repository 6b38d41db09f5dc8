import { describe, expect, it } from 'vitest'
import { generateDevicePair, type KeyStore, loadDeviceKey, memoryKeyStore, thumbprint } from './device-key.ts'

describe('[R-16] the device key', () => {
  it('has the thumbprint of RFC 7638, as the example of RFC 9449 §6.1 has it', async () => {
    const jwk = {
      kty: 'EC',
      x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
      y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
      crv: 'P-256',
    } as const
    expect(await thumbprint(jwk)).toBe('0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I')
  })

  it('cannot be exported, not even by this code', async () => {
    const { privateKey } = await generateDevicePair()
    expect(privateKey.extractable).toBe(false)
    await expect(crypto.subtle.exportKey('jwk', privateKey)).rejects.toThrow('not extractable')
    await expect(crypto.subtle.exportKey('pkcs8', privateKey)).rejects.toThrow('not extractable')
  })

  it('is the same after a reload, and for two tabs that are new at once', async () => {
    const store = memoryKeyStore()
    const [first, second] = await Promise.all([loadDeviceKey(store), loadDeviceKey(store)])
    const later = await loadDeviceKey(store)
    expect(second.thumbprint).toBe(first.thumbprint)
    expect(later.thumbprint).toBe(first.thumbprint)
  })

  it('is another after it was removed', async () => {
    const store = memoryKeyStore()
    const first = await loadDeviceKey(store)
    await store.remove()
    expect((await loadDeviceKey(store)).thumbprint).not.toBe(first.thumbprint)
  })

  it('works for as long as the page where the browser forbids storage', async () => {
    const refuse = () => Promise.reject(new Error('forbidden'))
    const store: KeyStore = { load: refuse, keep: refuse, remove: refuse }
    const key = await loadDeviceKey(store)
    expect((await key.sign(new Uint8Array([1]))).length).toBe(64)
  })
})
