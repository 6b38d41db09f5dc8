import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { childEnvironment, nodeProgram, root } from './places.mjs'
import { ENDING } from './progress.mjs'

/**
 * Runs Node 24 in this process' place: same terminal, signals passed on, its exit code ours. Of several, the first to
 * end ends the others.
 *
 * @param {{ args: string[], env?: NodeJS.ProcessEnv, cwd?: string }[]} programs cwd is relative to the repository
 * @returns {Promise<number>} the exit code of the first that ended; 128 + n for signal n, as a shell has it
 */
export async function runTogether(programs) {
  const node = nodeProgram()
  // Each in a process group of its own: a terminal's Ctrl-C then reaches it once, through us, and not twice.
  // The channel carries nothing: when we are killed and can pass nothing on, its end tells them.
  const children = programs.map(({ args, env, cwd }) =>
    spawn(node, args, {
      cwd: join(root, cwd ?? ''),
      env: childEnvironment(env),
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      detached: true,
    }),
  )
  const inTerminal = process.stdout.isTTY
  let told = false
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    told = true
    // A closed terminal means the end; from anywhere else, SIGHUP asks the server to read its certificate again.
    for (const child of children) child.kill(signal === 'SIGHUP' && inTerminal ? 'SIGTERM' : signal)
  }
  for (const signal of ENDING) process.on(signal, forward)
  const ends = children.map(exitCodeOf)
  const code = await Promise.race(ends)
  if (!told) forward('SIGTERM')
  await Promise.all(ends)
  for (const signal of ENDING) process.off(signal, forward)
  return code
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>}
 */
function exitCodeOf(child) {
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGTERM']))
  })
}
