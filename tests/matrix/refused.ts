import type { AuditEvent } from '../../apps/server/src/audit/event.ts'
import { type MatrixCase, matrix } from '../../packages/policy/src/matrix/index.ts'
import { auditOf } from '../_util/audit.ts'
import type { TestServer } from '../_util/server.ts'
import { cellLike } from './cells.ts'
import type { Asking } from './world.ts'

/** Why the table refuses: other refusals (a wrong code) are not its matter. */
const REASONS: ReadonlySet<string | undefined> = new Set(
  matrix.flatMap(({ expected }) => (expected.allowed ? [] : [expected.reason])),
)

/** How many refusals of each kind the audit should hold, and whether it does. */
export class Refused {
  readonly #expected = new Map<string, number>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @param firstAsks the action which policy is asked for before this one, and which is refused in its place */
  expect(asking: Asking, cell: MatrixCase, action: string, firstAsks?: MatrixCase['action']): void {
    const asked = firstAsks === undefined ? cell : cellLike(cell, { action: firstAsks })
    // Whoever is disabled is refused before anybody knows what they ask; there is a test of that by itself.
    if (asked === undefined || asked.expected.allowed || cell.standing === 'disabled') return
    add(this.#expected, keyOf(asking, firstAsks ?? action, asked.expected.reason), 1)
    this.#size += 1
  }

  /** Kinds of which the audit holds another number, as `kind: audited, not expected`. Refusals that were summed up count as many. */
  async differences(server: TestServer, people: readonly Asking[]): Promise<string[]> {
    const found = new Map<string, number>()
    const byId = new Map(people.map((each) => [each.id('self'), each]))
    for (const tenant of ['riverside', 'lakeside']) {
      for (const event of await auditOf(server, tenant, { outcome: 'refused' })) {
        const asking = byId.get(event.actor ?? '')
        if (asking === undefined || asking.standing === 'disabled' || !isOfTheTable(asking, event)) continue
        add(found, keyOf(asking, event.action, event.reason ?? ''), event.count ?? 1)
      }
    }
    const kinds = new Set([...found.keys(), ...this.#expected.keys()])
    return [...kinds]
      .filter((kind) => found.get(kind) !== this.#expected.get(kind))
      .map((kind) => `${kind}: ${found.get(kind) ?? 0}, not ${this.#expected.get(kind) ?? 0}`)
  }
}

/** From another tenant everything is refused as what is not there, or not allowed at all: all reasons are one. */
function keyOf({ who, standing }: Asking, action: string, reason: string): string {
  return `${who} ${action} ${standing === 'other-tenant' ? 'whatever' : reason}`
}

function isOfTheTable({ standing }: Asking, { reason }: AuditEvent): boolean {
  return standing === 'other-tenant' || REASONS.has(reason)
}

function add(counts: Map<string, number>, key: string, more: number): void {
  counts.set(key, (counts.get(key) ?? 0) + more)
}
