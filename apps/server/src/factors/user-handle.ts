const BYTES = 32

/**
 * WebAuthn's user handle: what an authenticator keeps beside the key and gives back at a sign-in without a name. Tenant and user
 * as 32 bytes of their ids, which mean nothing to anybody else (§14.6.1); in base64url.
 */
export function userHandleOf(tenant: string, user: string): string {
  return Buffer.from(`${tenant}${user}`.replaceAll('-', ''), 'hex').toString('base64url')
}

/** Whose it is; null for what was never one of ours. */
export function readUserHandle(handle: string | null): { readonly tenant: string; readonly user: string } | null {
  const bytes = Buffer.from(handle ?? '', 'base64url')
  if (bytes.length !== BYTES) return null
  return { tenant: uuidOf(bytes.subarray(0, BYTES / 2)), user: uuidOf(bytes.subarray(BYTES / 2)) }
}

function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
