import { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { textFrame } from './frame.ts'
import { openLine, throughWs } from './line.ts'
import { Turn } from './outlet.ts'

/** As much of a socket of `ws` as a line uses. */
class FakeWs extends EventEmitter {
  readyState = 1
  extensions = ''
  bufferedAmount = 0
  readonly sent: string[] = []
  readonly closes: number[] = []
  terminated = false
  send(data: Buffer, _options: object, written?: () => void): void {
    this.sent.push(data.toString())
    if (written !== undefined) setImmediate(written)
  }
  close(code: number): void {
    this.readyState = 2
    this.closes.push(code)
  }
  terminate(): void {
    this.terminated = true
  }
  resume(): void {}
}

function open(ws: FakeWs, below: PassThrough | Socket) {
  const told: string[] = []
  const tell = (what: string) => (detail?: string | number | Buffer) => {
    told.push(`${what} ${typeof detail === 'object' ? '' : (detail ?? '')}`.trim())
  }
  const line = openLine(
    ws as unknown as WebSocket,
    below,
    { turn: new Turn() },
    {
      text: tell('text'),
      binary: tell('binary'),
      ping: tell('ping'),
      pong: tell('pong'),
      fault: tell('fault'),
      written: tell('written'),
      closed: tell('closed'),
    },
  )
  return { line, told }
}

const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

describe('line', () => {
  it('writes past `ws` where nothing of it is in between', async () => {
    const ws = new FakeWs()
    const below = new Socket()
    const written: Buffer[] = []
    below.write = ((bytes: Buffer, done: () => void) => {
      written.push(bytes)
      setImmediate(done)
      return true
    }) as Socket['write']
    const { line } = open(ws, below)
    const frame = textFrame('hello')
    line.send(frame)
    await turn()
    expect(written).toEqual([frame])
    expect(ws.sent).toEqual([])
    expect(line.backlog).toBe(0)
  })

  it.each<[string, (ws: FakeWs) => PassThrough | Socket]>([
    ['the socket below is none of the kernel’s', () => new PassThrough()],
    [
      'an extension was negotiated',
      (ws) => {
        ws.extensions = 'permessage-deflate'
        return new Socket()
      },
    ],
    [
      '`ws` holds something back',
      (ws) => {
        ws.bufferedAmount = 7
        return new Socket()
      },
    ],
  ])('leaves the framing to `ws` where %s', async (_, below) => {
    const ws = new FakeWs()
    const { line } = open(ws, below(ws))
    for (const text of ['one', 'two']) line.send(textFrame(text))
    await turn()
    expect(ws.sent).toEqual(['one', 'two'])
    expect(line.backlog).toBe(0)
  })

  it('says nothing more after a revocation, and cuts a peer that takes nothing', async () => {
    const ws = new FakeWs()
    const below = new Socket()
    let finish: (() => void) | undefined
    below.write = ((_bytes: Buffer, done: () => void) => {
      finish = done
      return false
    }) as Socket['write']
    const { line, told } = open(ws, below)
    line.send(textFrame('under way'))
    await turn()
    line.send(textFrame('waiting'))
    line.close(4403, 'drop')
    ws.emit('message', Buffer.from('{}'), false)
    expect(ws.closes).toEqual([])
    finish?.()
    expect(ws.closes).toEqual([4403])
    expect(told.filter((each) => each.startsWith('text'))).toEqual([])
    line.close(1012, 'finish')
    expect(ws.closes).toEqual([4403])
  })

  it('tells what came, and why `ws` gave up, once', () => {
    const ws = new FakeWs()
    const { told } = open(ws, new PassThrough())
    ws.emit('message', Buffer.from('é'), false)
    ws.emit('message', Buffer.from([1]), true)
    ws.emit('pong')
    ws.emit('error', Object.assign(new Error('x'), { code: 'WS_ERR_INVALID_UTF8' }))
    ws.emit('error', Object.assign(new Error('x'), { code: 'ECONNRESET' }))
    ws.emit('message', Buffer.from('late'), false)
    ws.emit('close', 1007)
    expect(told).toEqual(['text é', 'binary', 'pong', 'fault encoding', 'closed 1007'])
  })

  it('takes several frames of one write apart again, whatever is in them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 400 }), { minLength: 1, maxLength: 8 }),
        async (texts) => {
          const ws = new FakeWs()
          await new Promise<void>((resolve) => {
            throughWs(ws as unknown as WebSocket).write(Buffer.concat(texts.map(textFrame)), resolve)
          })
          expect(ws.sent).toEqual(texts)
        },
      ),
    )
  })
})
