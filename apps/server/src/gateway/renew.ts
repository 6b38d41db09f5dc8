import { type ClientRequest, SOCKET_PATH } from '@wardline/protocol'
import { decodeJwt } from 'jose'
import type { AuditReason } from '../audit/vocabulary.ts'
import { toRefusal } from '../errors.ts'
import { encode } from './frame.ts'
import type { SignedIn } from './signed-in.ts'

type SessionRenew = Extract<ClientRequest, { type: 'session.renew' }>

/**
 * A new token over the open socket, with a proof over the nonce of one of the last two `session.renew-required`. Anything but the same
 * user, tenant, session and device ends the socket with 4401; a store that is away does not: the client is asked again.
 */
export async function renew(asker: SignedIn, frame: SessionRenew): Promise<void> {
  const { gateway } = asker
  const nonce = nonceOf(frame.proof)
  if (nonce === null || !asker.token.takeNonce(nonce)) return end(asker, 'nonce')
  try {
    const who = await gateway.sessions.authenticate({
      token: frame.token,
      proof: frame.proof,
      method: 'GET',
      path: SOCKET_PATH,
      nonce,
      certificate: asker.peer.certificate,
    })
    if (!asker.isSame(who)) return end(asker, 'session-mismatch')
    await gateway.database.auditOnly(asker.tenant, { ...asker.trail, action: 'session.renew', outcome: 'allowed' })
    const expiresAt = new Date(who.expiresAt).toISOString()
    asker.renewed(who, encode({ type: 'session.renewed', replyTo: frame.id, expiresAt }))
  } catch (error) {
    const refusal = toRefusal(error)
    if (refusal.code === 'unauthenticated') return end(asker, refusal.reason)
    if (refusal.code === 'locked') return asker.end(4423, refusal.reason, 'drop')
    asker.refused(frame, refusal)
    asker.token.again()
  }
}

function end(asker: SignedIn, because: AuditReason): void {
  asker.audit({ action: 'session.renew', outcome: 'refused', reason: because })
  asker.end(4401, because, 'drop')
}

/** Which nonce a proof says that it is over, not proved yet. */
function nonceOf(proof: string): string | null {
  try {
    const { nonce } = decodeJwt(proof)
    return typeof nonce === 'string' ? nonce : null
  } catch {
    return null
  }
}
