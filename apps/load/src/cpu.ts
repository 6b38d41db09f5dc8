import { readdirSync, readFileSync } from 'node:fs'

/** Where CPU goes: the server's own thread, what V8 and libuv do beside it, the log's sequencer, and the database for each of the two. */
export const PARTS = ['server', 'helpers', 'sequencer', 'database', 'its sequencer'] as const
export type Part = (typeof PARTS)[number]
/** Milliseconds, or milliseconds for 1,000 of something. */
export type Cpu = Readonly<Record<Part, number>>

/** The threads of Node by the names that they give themselves; whatever else there is helps. */
const THREADS: Readonly<Record<string, Part>> = { MainThread: 'server', node: 'server', 'audit-log': 'sequencer' }

type Reading = ReadonlyMap<string, { readonly part: Part; readonly ms: number }>

/**
 * Reads what every thread of these processes has used so far; the function it answers says what each part has used since, those that
 * were started meanwhile included. Linux only.
 */
export function watchCpu(processes: () => readonly number[]): () => Cpu {
  const before = read(processes())
  return () => {
    const used = Object.fromEntries(PARTS.map((part) => [part, 0])) as Record<Part, number>
    for (const [thread, { part, ms }] of read(processes())) used[part] += ms - (before.get(thread)?.ms ?? 0)
    return used
  }
}

function read(pids: readonly number[]): Reading {
  const threads = new Map<string, { part: Part; ms: number }>()
  for (const pid of pids) {
    const title = text(`/proc/${pid}/cmdline`)
    for (const tid of list(`/proc/${pid}/task`)) {
      const part = title.startsWith('postgres:')
        ? databasePart(title)
        : threadPart(text(`/proc/${pid}/task/${tid}/comm`))
      threads.set(`${pid}/${tid}`, { part, ms: runMs(`/proc/${pid}/task/${tid}/schedstat`) })
    }
  }
  return threads
}

/** `postgres: wardline: ROLE DATABASE …` of who serves a connection; the others (walwriter, checkpointer) serve both. */
function databasePart(title: string): Part {
  return title.includes('wardline_sequencer') ? 'its sequencer' : 'database'
}

function threadPart(name: string): Part {
  return THREADS[name.trim()] ?? 'helpers'
}

/** Nanoseconds on a core are the first number of schedstat: exact, where `stat` counts ticks of 10 ms. */
function runMs(path: string): number {
  return Number(text(path).split(' ')[0] ?? 0) / 1e6
}

/** Empty where the process or the thread has ended. */
function text(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
