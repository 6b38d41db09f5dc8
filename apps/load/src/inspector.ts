import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import WebSocket from 'ws'

/** What a Node process holds once its garbage has been collected, in MiB. */
export type Memory = {
  /** Of V8's heap, and outside of it for objects there (buffers): what something still refers to. */
  readonly live: number
  /** Of the machine. The allocator keeps for itself what was needed once, so it tells of a leak only by growing again and again. */
  readonly resident: number
}

export type Inspector = {
  memory(): Promise<Memory>
  close(): void
}

/** Collections until nothing more goes: what has a finaliser goes with the next one. */
const COLLECTIONS = 3
/** For threads to have done so. */
const SETTLE_MS = 1_000

/** How a Node process is told to listen for one. */
export function inspectable(port: number): Record<string, string> {
  return { NODE_OPTIONS: `--inspect=127.0.0.1:${port}` }
}

/** Speaks the Chrome DevTools Protocol to a Node process of this machine. */
export async function openInspector(port: number): Promise<Inspector> {
  const answer = await fetch(`http://127.0.0.1:${port}/json/list`)
  const [target] = (await answer.json()) as [{ webSocketDebuggerUrl: string }]
  const socket = new WebSocket(target.webSocketDebuggerUrl, { perMessageDeflate: false })
  await once(socket, 'open')
  let asked = 0
  const ask = (method: string, params: object = {}): Promise<Answer> =>
    new Promise((resolve) => {
      const id = ++asked
      const read = (data: Buffer) => {
        const said = JSON.parse(data.toString()) as Answer
        if (said.id !== id) return
        socket.off('message', read)
        resolve(said)
      }
      socket.on('message', read)
      socket.send(JSON.stringify({ id, method, params }))
    })
  // Threads have heaps of their own, whose garbage is the machine's memory as well.
  const threads: string[] = []
  socket.on('message', (data: Buffer) => {
    const { method, params } = JSON.parse(data.toString()) as Notice
    if (method === 'NodeWorker.attachedToWorker') threads.push(params.sessionId)
  })
  await ask('NodeWorker.enable', { waitForDebuggerOnStart: false })
  const collect = JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' })
  return {
    async memory() {
      for (let each = 0; each < COLLECTIONS; each += 1) {
        await ask('HeapProfiler.collectGarbage')
        for (const sessionId of threads) await ask('NodeWorker.sendMessageToWorker', { sessionId, message: collect })
      }
      await pause(SETTLE_MS)
      const { result } = await ask('Runtime.evaluate', { expression: 'JSON.stringify(process.memoryUsage())' })
      const { heapUsed, external, rss } = JSON.parse(result?.result?.value ?? '') as NodeJS.MemoryUsage
      return { live: (heapUsed + external) / 2 ** 20, resident: rss / 2 ** 20 }
    },
    close: () => socket.terminate(),
  }
}

type Notice = { readonly method?: string; readonly params: { readonly sessionId: string } }
type Answer = { readonly id: number; readonly result?: { readonly result?: { readonly value?: string } } }
