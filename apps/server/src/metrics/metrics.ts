import type { ClientRequest, CloseCode, ErrorCode } from '@wardline/protocol'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { ReadinessReport } from '../health/readiness.ts'

/** Bounds of the histograms' buckets, in seconds: a commit takes a millisecond or a few, a sign-in a tenth of a second. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** What is counted as it happens. Labels are words of closed lists and patterns of routes: no id, no tenant, no name. */
export type Metrics = {
  answered(call: {
    readonly method: string
    readonly route: string
    readonly status: number
    readonly ms: number
  }): void
  asked(type: ClientRequest['type']): void
  refused(code: ErrorCode): void
  closed(code: CloseCode): void
  /** A transaction of `items` messages, receipts and the like; `accepted` of them were new. */
  committed(batch: { readonly items: number; readonly accepted: number; readonly ms: number }): void
  /** From here on these are asked for their numbers whenever somebody reads. */
  watch(state: WatchedState): void
  /** Everything, in the text format of Prometheus. */
  text(): Promise<string>
  readonly contentType: string
  close(): void
}

export type WatchedState = {
  /** Open sockets: of people and programs who have signed in, and all. */
  sockets(): { readonly signedIn: number; readonly all: number }
  readiness(): Promise<ReadinessReport>
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const calls = new Histogram({
    name: 'wardline_http_request_seconds',
    help: 'Calls over HTTPS, from their arrival to the end of the answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers,
  })
  const requests = new Counter({
    name: 'wardline_socket_requests_total',
    help: 'Requests on sockets, by type of frame.',
    labelNames: ['type'],
    registers,
  })
  const refusals = new Counter({
    name: 'wardline_socket_refusals_total',
    help: 'Requests on sockets that were refused, by error code.',
    labelNames: ['code'],
    registers,
  })
  const closes = new Counter({
    name: 'wardline_socket_closes_total',
    help: 'Sockets that the server closed, by close code.',
    labelNames: ['code'],
    registers,
  })
  const accepted = new Counter({
    name: 'wardline_commits_accepted_total',
    help: 'Channel events that were committed, repeats not counted.',
    registers,
  })
  const commits = new Histogram({
    name: 'wardline_commit_seconds',
    help: 'Transactions of the committer.',
    buckets: SECONDS,
    registers,
  })
  const batches = new Histogram({
    name: 'wardline_commit_items',
    help: 'What one transaction of the committer held.',
    buckets: BATCH_SIZES,
    registers,
  })

  return {
    answered: ({ method, route, status, ms }) => calls.observe({ method, route, status }, ms / 1000),
    asked: (type) => requests.inc({ type }),
    refused: (code) => refusals.inc({ code }),
    closed: (code) => closes.inc({ code }),
    committed(batch) {
      accepted.inc(batch.accepted)
      commits.observe(batch.ms / 1000)
      batches.observe(batch.items)
    },
    watch: (state) => watchState(registers, state),
    text: () => registry.metrics(),
    contentType: registry.contentType,
    close: () => registry.clear(),
  }
}

function watchState(registers: Registry[], state: WatchedState): void {
  new Gauge({
    name: 'wardline_sockets',
    help: 'Open sockets of this node, by whether somebody has signed in.',
    labelNames: ['state'],
    registers,
    collect() {
      const { signedIn, all } = state.sockets()
      this.set({ state: 'signed-in' }, signedIn)
      this.set({ state: 'pending' }, all - signedIn)
    },
  })
  new Gauge({
    name: 'wardline_check',
    help: 'What /readyz says: 1 is well.',
    labelNames: ['check'],
    registers,
    async collect() {
      const { ready, checks } = await state.readiness()
      this.set({ check: 'ready' }, ready ? 1 : 0)
      for (const [check, said] of Object.entries(checks)) this.set({ check }, said === 'ok' ? 1 : 0)
    },
  })
}
