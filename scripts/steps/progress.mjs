import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** A failure with one line for the person at the terminal; anything else that is thrown is a bug in the scripts. */
export class Stop extends Error {}

/** How much of a failed child's output is shown: its end, where the reason usually is. */
const SHOWN_OUTPUT_CHARS = 8_000

/** @type {NodeJS.Signals[]} */
export const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Says what is being done and, on the same line, how long it took.
 *
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const started = performance.now()
  process.stderr.write(`wardline: ${title} … `)
  try {
    const result = await work()
    process.stderr.write(`${seconds(performance.now() - started)}\n`)
    return result
  } catch (error) {
    process.stderr.write(`failed after ${seconds(performance.now() - started)}\n`)
    throw error
  }
}

/**
 * @param {number} ms
 * @returns {string} as `3.2 s`
 */
export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}

/**
 * Runs a program to its end without showing its output, which is returned for when it is wanted. It is ended with us.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ code: number, output: string }>} output is standard output and error, interleaved
 */
export function runQuietly(program, args, { cwd, env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    // A group of its own, so that what the program starts (npx starts pnpm) is ended with it.
    const child = spawn(program, args, {
      cwd,
      env: { ...env, NO_COLOR: '1', FORCE_COLOR: undefined },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    /** @param {NodeJS.Signals} signal */
    const endWithUs = (signal) => {
      if (child.pid !== undefined) process.kill(-child.pid)
      process.exit(128 + constants.signals[signal])
    }
    for (const signal of ENDING) process.on(signal, endWithUs)
    let output = ''
    /** @param {Buffer} chunk */
    const keep = (chunk) => {
      output += chunk.toString()
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      for (const name of ENDING) process.off(name, endWithUs)
      resolve({ code: code ?? 1, output: signal ? `${output}\n${signal}` : output })
    })
  })
}

/**
 * @param {string} output
 * @returns {string} its end, indented, to stand under a line of ours
 */
export function tail(output) {
  const text = output.trim()
  const shown = text.length > SHOWN_OUTPUT_CHARS ? `…${text.slice(-SHOWN_OUTPUT_CHARS)}` : text
  return shown.replace(/^/gm, '  ')
}
