import { type Limits, type ServerFrame, type SessionTimes, SOCKET_PATH, SUBPROTOCOL } from '@wardline/protocol'
import { Emitter } from './emitter.ts'
import type { Cancel, Environment } from './environment.ts'
import type { OnFault } from './fault.ts'
import { Line, type LineDeps, type LineEnd } from './line.ts'
import { jittered, nextStep, type StopReason } from './reconnect.ts'
import { type AnswerTo, errorOf, type Notice, type Outcome, type Request } from './request.ts'
import type { Session } from './session.ts'

/** The state of the line, as a screen says it in words. Times in milliseconds by this machine's clock. */
export type ConnectionState =
  /** Nobody is signed in, or the app does not want a line. */
  | { readonly is: 'offline' }
  | { readonly is: 'connecting' }
  | { readonly is: 'live'; readonly connectionId: string; readonly since: number; readonly limits: Limits }
  /** `attempt` from 1. `nextAt`: when it is tried again, null while it is being tried. `lastLiveAt`: up to date as of. */
  | {
      readonly is: 'reconnecting'
      readonly attempt: number
      readonly nextAt: number | null
      readonly lastLiveAt: number | null
    }
  /** Not tried again until somebody asks for it (`retryNow`). */
  | { readonly is: 'stopped'; readonly reason: StopReason }

export type ConnectionEvents = { changed: ConnectionState; live: SessionTimes; down: undefined; frame: ServerFrame }

type ConnectionDeps = Omit<LineDeps, 'env' | 'renewedToken'> & {
  env: Pick<Environment, 'now' | 'random' | 'setTimer' | 'transport' | 'wake'>
  session: Session
  /** `https://host[:port]`. */
  origin: () => string
  onFault: OnFault
}

/** A line that lived for so long was a good one: the count of attempts starts again. Milliseconds. */
const STEADY_MS = 10_000

/** Keeps one line to the server while somebody is signed in: opens it, and opens it again as the close codes ask. */
export class Connection {
  readonly #deps: ConnectionDeps
  readonly #events: Emitter<ConnectionEvents>
  readonly #stopWaking: Cancel
  #state: ConnectionState = { is: 'offline' }
  #line: Line | null = null
  #pause: Cancel | null = null
  /** Counts each start and stop, so that what an older one awaited is dropped. */
  #run = 0
  #attempt = 0
  #refusals = 0
  #liveAt: number | null = null
  #lastLiveAt: number | null = null
  #usedToken: string | null = null
  /** The token that was used is not to be used again. */
  #refresh = false

  constructor(deps: ConnectionDeps) {
    this.#deps = deps
    this.#events = new Emitter(deps.onFault)
    this.#stopWaking = deps.env.wake(() => {
      if (this.#pause !== null) this.#connectNow()
      else this.#line?.probe()
    })
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Calls back whenever `state` is another. */
  readonly subscribe = (run: () => void): Cancel => this.#events.on('changed', run)

  on<K extends keyof ConnectionEvents>(name: K, run: (value: ConnectionEvents[K]) => void): Cancel {
    return this.#events.on(name, run)
  }

  /** Opens a line, unless there is one or one is on its way. */
  start(): void {
    if (this.#state.is !== 'offline' && this.#state.is !== 'stopped') return
    this.#attempt = 0
    this.#refusals = 0
    this.#lastLiveAt = null
    this.#setState({ is: 'connecting' })
    this.#refresh = false
    void this.#connect()
  }

  /** Closes the line and opens no other. */
  stop(): void {
    this.#drop()
    this.#setState({ is: 'offline' })
  }

  /** Tries at once what is waiting or was given up: the person at the screen asks for it. */
  retryNow(): void {
    if (this.#state.is === 'stopped') this.start()
    else if (this.#pause !== null) this.#connectNow()
  }

  /** Asks and waits for the answer. Throws WardlineError; `unavailable` when there is no line or it ended first. */
  request<T extends Request['type']>(request: Extract<Request, { type: T }>): Promise<AnswerTo<T>> {
    return new Promise((resolve, reject) => {
      this.ask(request, (outcome) => {
        if (outcome.is === 'answered') resolve(outcome.frame as AnswerTo<T>)
        else reject(errorOf(outcome))
      })
    })
  }

  /** Asks; `done` runs exactly once, in the turn of the frame that decides it and before any frame that came later. */
  ask(request: Request, done: (outcome: Outcome) => void): void {
    if (this.#line === null) done({ is: 'lost' })
    else this.#line.request(request, done)
  }

  /** Sends what is not answered. False when it was not sent. */
  notify(notice: Notice): boolean {
    return this.#line?.notify(notice) ?? false
  }

  /** Stops for good. */
  close(): void {
    this.#stopWaking()
    this.stop()
  }

  #connectNow(): void {
    this.#pause?.()
    this.#pause = null
    this.#setState({ ...this.#reconnecting(), nextAt: null })
    void this.#connect()
  }

  async #connect(): Promise<void> {
    const run = ++this.#run
    const { session } = this.#deps
    let token: string
    try {
      const refused = this.#refresh ? this.#usedToken : null
      token = await (refused === null ? session.accessToken() : session.renewedToken(refused))
    } catch {
      // Where the refusal ended the session, this connection was stopped with it, and this run is an old one.
      if (run === this.#run) this.#wait(jittered(this.#attempt, this.#deps.env.random))
      return
    }
    if (run !== this.#run) return
    this.#usedToken = token
    this.#refresh = false
    this.#line = new Line(
      socketUrl(this.#deps.origin()),
      SUBPROTOCOL,
      token,
      { ...this.#deps, renewedToken: (used, always) => session.renewedToken(used, always) },
      {
        live: ({ limits, session: times }, connectionId) => {
          this.#liveAt = this.#deps.env.now()
          this.#refusals = 0
          this.#setState({ is: 'live', connectionId, since: this.#liveAt, limits })
          this.#events.emit('live', times)
        },
        frame: (frame) => this.#events.emit('frame', frame),
        ended: (end) => this.#ended(end),
      },
    )
  }

  #ended({ code, drainingMs }: LineEnd): void {
    this.#line = null
    const now = this.#deps.env.now()
    if (this.#liveAt !== null) {
      if (now - this.#liveAt >= STEADY_MS) this.#attempt = 0
      this.#liveAt = null
      this.#lastLiveAt = now
      this.#events.emit('down', undefined)
    }
    if (code === 4401) this.#refusals += 1
    const step = nextStep({ code, attempt: this.#attempt, refusals: this.#refusals, drainingMs }, this.#deps.env.random)
    if (step.do === 'wait') {
      this.#refresh = step.refresh
      this.#wait(step.ms)
      return
    }
    this.#run += 1
    this.#setState({ is: 'stopped', reason: step.reason })
    // The server has ended more than the line: there is nothing left to be signed in with.
    if (code === 4403) this.#deps.session.end('revoked')
    if (code === 4401) this.#deps.session.end('expired')
    if (code === 4423) this.#deps.session.lockedElsewhere()
  }

  #wait(ms: number): void {
    this.#attempt += 1
    this.#setState({ ...this.#reconnecting(), nextAt: this.#deps.env.now() + ms })
    this.#pause = this.#deps.env.setTimer(ms, () => this.#connectNow())
  }

  #reconnecting() {
    return { is: 'reconnecting', attempt: this.#attempt, lastLiveAt: this.#lastLiveAt } as const
  }

  #drop(): void {
    this.#run += 1
    this.#pause?.()
    this.#pause = null
    const line = this.#line
    // First forgotten, then closed: its end is not news.
    this.#line = null
    this.#usedToken = null
    if (line === null) return
    line.close()
    if (this.#liveAt !== null) {
      this.#liveAt = null
      this.#events.emit('down', undefined)
    }
  }

  #setState(state: ConnectionState): void {
    this.#state = state
    this.#events.emit('changed', state)
  }
}

/** `wss` for `https`. A page served by plain `http` gets no socket at all from the server. */
function socketUrl(origin: string): string {
  const url = new URL(SOCKET_PATH, origin)
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:'
  return url.href
}
