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
  const children = programs.map(({ args, env, cwd }) =>
    spawn(node, args, { cwd: join(root, cwd ?? ''), env: childEnvironment(env), stdio: 'inherit' }),
  )
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    // A terminal's Ctrl-C reaches the children by itself; a second copy would read as impatience.
    if (signal === 'SIGINT' && process.stdin.isTTY) return
    for (const child of children) child.kill(signal)
  }
  for (const signal of ENDING) process.on(signal, forward)

  const ends = children.map(exitCodeOf)
  const code = await Promise.race(ends)
  for (const child of children) child.kill('SIGTERM')
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
