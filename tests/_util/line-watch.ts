import type { nodeTransport } from '@wardline/client/node'
import type { ClientFrame, MessageAccepted, ServerFrame } from '@wardline/protocol'

type Transport = ReturnType<typeof nodeTransport>

/** What went over all the lines of one client, judged as it went: the SDK would put right what the server got wrong. */
export class LineWatch {
  readonly transport: Transport
  /** Every answer that said "it is on disk" and reached the client. */
  readonly acknowledged: MessageAccepted[] = []
  /** Breaches of P3 on a single line: a sequence missing, doubled or out of order, or live before all was sent. */
  readonly faults: string[] = []
  /** Lines that were opened; how they ended, in order. */
  opened = 0
  readonly closes: number[] = []

  constructor(inner: Transport) {
    this.transport = (url, protocols, listener) => {
      this.opened += 1
      const line = new Line(this.faults)
      const socket = inner(url, protocols, {
        ...listener,
        received: (text) => {
          // What it is worth as a frame, the SDK judges.
          this.#received(line, JSON.parse(text ?? '{}') as ServerFrame)
          listener.received(text)
        },
        heard: () => listener.heard(),
        closed: (code) => {
          this.closes.push(code)
          listener.closed(code)
        },
      })
      return {
        send: (text) => {
          line.sent(text)
          socket.send(text)
        },
        close: (code) => socket.close(code),
      }
    }
  }

  #received(line: Line, frame: ServerFrame): void {
    if (frame.type === 'message.accepted') this.acknowledged.push(frame)
    line.received(frame)
  }
}

class Line {
  readonly #faults: string[]
  /** Subscriptions that were asked for: from where. */
  readonly #asked = new Map<string, number | undefined>()
  /** The sequence that must come next, by channel. */
  readonly #next = new Map<string, number>()

  constructor(faults: string[]) {
    this.#faults = faults
  }

  sent(text: string): void {
    const frame = JSON.parse(text) as ClientFrame
    if (frame.type === 'channel.subscribe') this.#asked.set(frame.id, frame.after)
  }

  received(frame: ServerFrame): void {
    if (frame.type === 'channel.subscribed') {
      this.#next.set(frame.channel, (this.#asked.get(frame.replyTo) ?? frame.head) + 1)
    } else if (frame.type === 'channel.event') {
      const next = this.#next.get(frame.channel)
      if (frame.seq !== next) this.#faults.push(`${frame.channel}: ${frame.seq} came where ${next} was due`)
      this.#next.set(frame.channel, frame.seq + 1)
    } else if (frame.type === 'channel.live') {
      const next = this.#next.get(frame.channel)
      if (frame.seq + 1 !== next) this.#faults.push(`${frame.channel}: live at ${frame.seq} where ${next} was due`)
    }
  }
}
