import { type Actor, decide, type PolicySettings } from '@wardline/policy'
import type { Clock } from '../clock.ts'
import { encode, type Frame } from '../gateway/frame.ts'
import type { AlertCounts } from '../storage/alert-rows.ts'

/** How soon an open screen knows of a new alert, beside the second or two that the rules take. */
const LOOK_MS = 1_000

/** The socket of somebody who is signed in. */
export interface AlertListener {
  readonly tenant: string
  readonly actor: Actor
  send(frame: Frame): void
}

type Tenant = { readonly listeners: Map<AlertListener, AlertCounts | null>; asking: boolean }

type Parts = {
  readonly clock: Clock
  readonly policy: PolicySettings
  readonly alertCounts: (tenant: string) => Promise<AlertCounts>
  readonly onFault: (error: unknown) => void
}

/**
 * `alerts.changed` to the sockets of those who may see alerts. One small question a second and tenant, and only where such a socket is
 * open: so it needs no hint between nodes, and nobody learns of anything late because one was lost.
 */
export class AlertNews {
  readonly #parts: Parts
  readonly #tenants = new Map<string, Tenant>()
  readonly #stop: () => void

  constructor(parts: Parts) {
    this.#parts = parts
    this.#stop = parts.clock.every(LOOK_MS, () => {
      for (const tenant of this.#tenants.keys()) void this.#look(tenant)
    })
  }

  join(listener: AlertListener): void {
    const tenant = this.#tenants.get(listener.tenant) ?? { listeners: new Map(), asking: false }
    this.#tenants.set(listener.tenant, tenant)
    tenant.listeners.set(listener, null)
  }

  leave(listener: AlertListener): void {
    const tenant = this.#tenants.get(listener.tenant)
    tenant?.listeners.delete(listener)
    if (tenant?.listeners.size === 0) this.#tenants.delete(listener.tenant)
  }

  close(): void {
    this.#stop()
  }

  /** Whether they may is asked at each look: a role may have come or gone. */
  async #look(id: string): Promise<void> {
    const tenant = this.#tenants.get(id)
    if (tenant === undefined || tenant.asking || ![...tenant.listeners.keys()].some((each) => this.#may(each))) return
    tenant.asking = true
    try {
      const counts = await this.#parts.alertCounts(id)
      const frame = encode({ type: 'alerts.changed', open: counts.open })
      for (const [listener, told] of tenant.listeners) {
        if (told?.changedAt === counts.changedAt && told.open === counts.open) continue
        if (!this.#may(listener)) continue
        tenant.listeners.set(listener, counts)
        listener.send(frame)
      }
    } catch (error) {
      this.#parts.onFault(error)
    } finally {
      tenant.asking = false
    }
  }

  #may({ actor, tenant }: AlertListener): boolean {
    const { clock, policy } = this.#parts
    return decide(actor, 'alert.read', { kind: 'tenant', tenant }, { now: clock.now(), policy }).allowed
  }
}
