import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Stop } from './progress.mjs'

/** The repository's folder, wherever it was cloned to. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '')

/** What the steps remember between runs. It goes when node_modules goes, as it should. */
export const memory = join(root, 'node_modules', '.wardline')

/** Node strips types without a flag from these on; nothing older runs our sources. */
const OWN_NODE_AT_LEAST = [22, 18]

/**
 * The Node that runs everything once packages are installed: 24 from the registry, or else the machine's own if it
 * is new enough (the registry may lack a binary for a rarer platform).
 *
 * @returns {string} path of the program
 */
export function nodeProgram() {
  const installed = join(root, 'node_modules', 'node', 'bin', 'node')
  if (existsSync(installed)) return installed
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = OWN_NODE_AT_LEAST
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return process.execPath
  throw new Stop(
    `No Node 24 for ${process.platform}-${process.arch} could be installed from the registry, and this one is ` +
      `${process.version}: install Node 24 and run this again.`,
  )
}

/**
 * @param {NodeJS.ProcessEnv} [more]
 * @returns {NodeJS.ProcessEnv} the environment for children: Node 24 and the installed tools come first in PATH
 */
export function childEnvironment(more = {}) {
  const PATH = [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter)
  return { ...process.env, PATH, ...more }
}
