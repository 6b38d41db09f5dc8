import { base64urlText } from '../base64url.ts'
import type { Proofs } from '../proof.ts'

/** Proofs without a key, ready at once: WebCrypto works on threads of its own, and a manual clock cannot wait for them. */
export function fakeProofs(): Proofs & { forgotten: number } {
  let made = 0
  function make(claims: Record<string, unknown>): Promise<string> {
    made += 1
    const header = base64urlText(JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256' }))
    return Promise.resolve(`${header}.${base64urlText(JSON.stringify({ ...claims, jti: `jti-${made}` }))}.unsigned`)
  }
  const proofs = {
    forgotten: 0,
    http: (htm: string, htu: string) => make({ htm, htu: htu.split('?')[0] }),
    socket: (url: string, _token: string, nonce: string) =>
      make({ htm: 'GET', htu: url.replace(/^wss:/, 'https:'), nonce }),
    forget: async () => {
      proofs.forgotten += 1
    },
  }
  return proofs
}

/** What a proof claims, signature unseen: this server is there to test clients, not to be safe. */
export function claimsOf(proof: string | undefined): { htm?: unknown; htu?: unknown; nonce?: unknown; jti?: unknown } {
  try {
    const part = proof?.split('.')[1] ?? ''
    const value: unknown = JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/')))
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
