import type { ChannelResource } from '@wardline/policy'
import type { Clock } from '../clock.ts'
import type { SealKey } from '../keys/envelope.ts'
import type { Keyring } from '../keys/keyring.ts'
import type { StoredChannel } from '../storage/gateway-reads.ts'

/** A channel as far as it does not change from message to message, with the key of its bodies. */
export interface KnownChannel {
  readonly resource: ChannelResource
  readonly key: SealKey
}

export interface ReadChannel {
  readonly known: KnownChannel
  readonly stored: StoredChannel
}

type Entry = {
  readonly resource: ChannelResource
  readonly dataKey: string
  readonly readAt: number
  renewing: boolean
}

/** Whether a channel is archived is checked again under its lock when something is committed; here it may be this old. */
const MAX_AGE_MS = 30_000
const MAX_CHANNELS = 20_000

type Parts = {
  readonly readChannel: (tenant: string, channel: string, at: number) => Promise<StoredChannel | null>
  readonly keyring: Keyring
  readonly clock: Clock
  readonly onFault: (error: unknown) => void
}

/** The channels that this node has lately had to do with: so that a post is decided and sealed without waiting for anything (P7). */
export class KnownChannels {
  readonly #parts: Parts
  readonly #entries = new Map<string, Entry>()
  readonly #loading = new Map<string, Promise<ReadChannel | null>>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** The channel, if it is known: without waiting. One that is asked for again and again is read again meanwhile. */
  peek(tenant: string, id: string): KnownChannel | undefined {
    const entry = this.#entries.get(`${tenant}/${id}`)
    if (entry === undefined) return undefined
    const age = this.#parts.clock.now() - entry.readAt
    if (age > MAX_AGE_MS) return undefined
    if (age > MAX_AGE_MS / 2 && !entry.renewing) {
      entry.renewing = true
      this.read(tenant, id).catch(this.#parts.onFault)
    }
    const key = this.#parts.keyring.loadedKey(tenant, entry.dataKey)
    return key === undefined ? undefined : { resource: entry.resource, key }
  }

  /** Whom a channel is about, if it is known and about a patient; that never changes. */
  patientOf(tenant: string, id: string | undefined): string | null {
    return this.#entries.get(`${tenant}/${id ?? ''}`)?.resource.patient ?? null
  }

  /**
   * The channel; null where there is none. Who asks while it is read waits for that same reading, so that requests go on in the order
   * in which they came. @throws KeyDestroyed, StorageUnavailable
   */
  async load(tenant: string, id: string): Promise<KnownChannel | null> {
    const known = this.peek(tenant, id)
    if (known !== undefined) return known
    const key = `${tenant}/${id}`
    const loading = this.#loading.get(key) ?? this.read(tenant, id).finally(() => this.#loading.delete(key))
    this.#loading.set(key, loading)
    return (await loading)?.known ?? null
  }

  /** The channel as it is now, with its head, members and receipts; null where there is none. */
  async read(tenant: string, id: string): Promise<ReadChannel | null> {
    const { clock, keyring, readChannel } = this.#parts
    const readAt = clock.now()
    const stored = await readChannel(tenant, id, readAt)
    if (stored === null) return null
    const { kind: channelKind, patient, archived, dataKey } = stored
    const key = await keyring.dataKey(tenant, dataKey)
    const before = this.#entries.get(`${tenant}/${id}`)?.resource
    const isSame = before?.channelKind === channelKind && before.patient === patient && before.archived === archived
    const resource: ChannelResource = isSame ? before : { kind: 'channel', tenant, id, channelKind, patient, archived }
    this.#keep(`${tenant}/${id}`, { resource, dataKey, readAt, renewing: false })
    return { known: { resource, key }, stored }
  }

  /** Something about the channel has changed: the next look reads it. */
  forget(tenant: string, id: string): void {
    this.#entries.delete(`${tenant}/${id}`)
  }

  #keep(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    if (this.#entries.size <= MAX_CHANNELS) return
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.#entries.delete(oldest)
  }
}
