import { spawn } from 'node:child_process'

/** A failure with one line for the person at the terminal; anything else that is thrown is a bug in the scripts. */
export class Stop extends Error {}

/** How much of a failed child's output is shown: its end, where the reason usually is. */
const SHOWN_OUTPUT_CHARS = 8_000

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
 * Runs a program to its end without showing its output, which is returned for when it is wanted.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ code: number, output: string }>} output is standard output and error, interleaved
 */
export function runQuietly(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    /** @param {Buffer} chunk */
    const keep = (chunk) => {
      output += chunk.toString()
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? 1, output: signal ? `${output}\n${signal}` : output }))
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
