import type { Action } from './actions.ts'
import { type Permission, permissions, type ScopeFamily } from './permissions.ts'
import type { Resource } from './resources.ts'

/**
 * Token scopes: an upper bound on what the live policy may allow, never a grant. The `scope` claim is a list separated
 * by single spaces (RFC 6749 §3.3) of
 *
 *     account | clinical | audit | admin          a family of permissions (permissions.ts); for people only
 *     directory:read | import:run | audit:read    one action, tenant-wide
 *     patient:read:<uuid>                         that patient, and reading the patient’s channels
 *     channel:read:<uuid>                         reading that channel
 *     channel:post:<uuid>                         writing there, correcting and recalling what one wrote
 *
 * There is no wildcard. Service accounts get the narrow forms alone: a family in their token covers nothing.
 */
export interface Scopes {
  readonly families: ReadonlySet<ScopeFamily>
  readonly actions: ReadonlySet<Action>
  /** By action, the ids of the patients at which it is covered. */
  readonly patients: ReadonlyMap<Action, ReadonlySet<string>>
  /** By action, the ids of the channels at which it is covered. */
  readonly channels: ReadonlyMap<Action, ReadonlySet<string>>
}

/** The longest `scope` claim read, in UTF-16 code units: it has to fit into a token of 4 KiB. */
export const MAX_SCOPE_LENGTH = 3000

/** Covers nothing: also what a malformed claim becomes. */
export const noScopes: Scopes = { families: new Set(), actions: new Set(), patients: new Map(), channels: new Map() }

const families: ReadonlySet<string> = new Set<ScopeFamily>(['account', 'clinical', 'audit', 'admin'])

const tenantWide: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['directory:read', 'directory.read'],
  ['import:run', 'import.run'],
  ['audit:read', 'audit.read'],
])

const named: ReadonlyMap<string, { by: 'patients' | 'channels'; actions: readonly Action[] }> = new Map([
  ['patient:read', { by: 'patients', actions: ['patient.read', 'channel.read', 'receipt.mark'] }],
  ['channel:read', { by: 'channels', actions: ['channel.read', 'receipt.mark'] }],
  ['channel:post', { by: 'channels', actions: ['message.post', 'message.correct', 'message.recall', 'typing.set'] }],
])

const namedForm = /^([a-z]+:[a-z]+):([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/

/**
 * Reads a `scope` claim. One bad word (unknown, empty, doubled space, upper case, too long) and the whole claim covers nothing:
 * a bound that is not understood is not loosened. Never throws.
 */
export function parseScopes(claim: string): Scopes {
  return readScopes(claim) ?? noScopes
}

/** Whether `claim` is well formed: for scopes that an administrator enters. */
export function isScopeClaim(claim: string): boolean {
  return readScopes(claim) !== null
}

/** The `scope` claim of a person’s token: their own things, and each family in which they hold a permission. */
export function personScopes(held: Iterable<Permission>): string {
  const claim = new Set<ScopeFamily>(['account'])
  for (const permission of held) claim.add(permissions[permission].scope)
  return [...claim].sort().join(' ')
}

/** Whether the token’s scopes reach this action on this resource. */
export function covers(
  scopes: Scopes,
  kind: 'person' | 'service',
  family: ScopeFamily,
  action: Action,
  resource: Resource,
): boolean {
  if (kind === 'person' && scopes.families.has(family)) return true
  if (scopes.actions.has(action)) return true
  const channel = resource.kind === 'message' ? resource.channel : resource.kind === 'channel' ? resource : null
  if (channel !== null && scopes.channels.get(action)?.has(channel.id) === true) return true
  const patient = channel !== null ? channel.patient : resource.kind === 'patient' ? resource.id : null
  return patient !== null && scopes.patients.get(action)?.has(patient) === true
}

function readScopes(claim: string): Scopes | null {
  if (typeof claim !== 'string' || claim.length > MAX_SCOPE_LENGTH) return null
  const scopes = {
    families: new Set<ScopeFamily>(),
    actions: new Set<Action>(),
    patients: new Map<Action, Set<string>>(),
    channels: new Map<Action, Set<string>>(),
  }
  for (const word of claim.split(' ')) {
    const tenantWideAction = tenantWide.get(word)
    const [, form, id] = namedForm.exec(word) ?? []
    const narrow = form === undefined ? undefined : named.get(form)
    if (isFamily(word)) scopes.families.add(word)
    else if (tenantWideAction !== undefined) scopes.actions.add(tenantWideAction)
    else if (narrow !== undefined && id !== undefined) {
      for (const action of narrow.actions) idsFor(scopes[narrow.by], action).add(id)
    } else return null
  }
  return scopes
}

function isFamily(word: string): word is ScopeFamily {
  return families.has(word)
}

function idsFor(ids: Map<Action, Set<string>>, action: Action): Set<string> {
  const known = ids.get(action)
  if (known !== undefined) return known
  const added = new Set<string>()
  ids.set(action, added)
  return added
}
