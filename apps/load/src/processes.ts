import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'

const canPin = process.platform === 'linux' && spawnSync('taskset', ['--version']).status === 0

/** Whether server and generator run on cores of their own (Linux with `taskset`). The report says so. */
export const pinned = canPin

/** Linux can run a process on what nobody else wants at all (sched(7), SCHED_IDLE), where chrt(1) is there to ask for that. */
export const canIdle = process.platform === 'linux' && spawnSync('chrt', ['--idle', '0', 'true']).status === 0

/** Lets a process, all its threads and all that it has started run on what nobody else wants. */
export function makeIdle(pid: number): void {
  for (const member of familyOf(pid)) spawnSync('chrt', ['--all-tasks', '--idle', '--pid', '0', String(member)])
}

const SERVER_CORE = '0'
const GENERATOR_CORE = '1'

/** Starts a Node program on the server's core, unless it is to have all, and waits until it says a line that `ready` matches. */
export async function startPinned(
  script: string,
  env: Record<string, string>,
  ready: RegExp,
  onReady: (match: RegExpMatchArray) => void,
  cores: 'one' | 'all' = 'one',
): Promise<ChildProcess> {
  const node = [process.execPath, script]
  const [command, ...args] = canPin && cores === 'one' ? ['taskset', '-c', SERVER_CORE, ...node] : node
  const child = spawn(command as string, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      said = (said + chunk).slice(-8000)
      const match = said.match(ready)
      if (!match) return
      onReady(match)
      resolve()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code}:\n${said}`)))
  })
  return child
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

/** Puts this process on the generator's core. */
export function pinGenerator(): void {
  if (canPin) spawnSync('taskset', ['-a', '-c', '-p', GENERATOR_CORE, String(process.pid)])
}

/** A process and all that it started, transitively. Linux only; elsewhere the process alone. */
export function familyOf(pid: number): number[] {
  if (process.platform !== 'linux') return [pid]
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? parentOf(Number(name)) : undefined
    if (parent !== undefined) parents.set(Number(name), parent)
  }
  const family = [pid]
  for (const member of family) for (const [child, parent] of parents) if (parent === member) family.push(child)
  return family
}

/** The parent of a process, by `/proc/<pid>/stat` (proc(5)); undefined where it has ended. */
function parentOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}
