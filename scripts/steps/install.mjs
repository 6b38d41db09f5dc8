import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { alone } from './lock.mjs'
import { memory, nodeProgram, root } from './places.mjs'
import { runQuietly, Stop, step, tail } from './progress.mjs'
import { digestOf, readStamp, removeStamp, writeStamp } from './stamp.mjs'

/** Pinned with the lock file it wrote. Fetched by npx: corepack is not everywhere, and leaves Node after 24. */
const PNPM = 'pnpm@12.21.0'

const stamp = join(memory, 'install')

const UNTRUSTED = /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY|GET_ISSUER)|CERT_HAS_EXPIRED|CERT_UNTRUSTED|UnknownIssuer/i
const UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|error sending request|ENOTCACHED|NO_OFFLINE/i

/** What a failed install says, and what a person can do about it. First match wins. */
const REASONS = [
  {
    sign: UNTRUSTED,
    help: "The npm registry's certificate is not trusted here. Behind a proxy that inspects TLS, name its authority: npm config set cafile … and NODE_EXTRA_CA_CERTS=…",
  },
  {
    sign: UNREACHABLE,
    help: 'The npm registry could not be reached. Packages need the network once: check the connection, or name a proxy (HTTPS_PROXY) or a mirror (npm config set registry …).',
  },
  {
    sign: /OUTDATED_LOCKFILE/i,
    help: `package.json and pnpm-lock.yaml differ: run "npx ${PNPM} install" and commit the lock file.`,
  },
  { sign: /ENOSPC|no space left/i, help: 'The disk is full.' },
  {
    sign: /EACCES|EPERM|EROFS|permission denied|read-only file system/i,
    help: `This user may not write where packages go (${root}, or npm's cache in the home folder): make them this user's own.`,
  },
]

/** Installs exactly what the lock file names, if that is not what is there. */
export async function installPackages() {
  if (isInstalled()) return
  assertWritable()
  await alone(async () => {
    if (isInstalled()) return
    const digest = inputs()
    removeStamp(stamp)
    await step('installing packages (the first time takes a minute or two)', install)
    nodeProgram()
    writeStamp(stamp, digest)
  })
}

function isInstalled() {
  return existsSync(join(root, 'node_modules', '.pnpm')) && readStamp(stamp) === inputs()
}

function inputs() {
  const rooms = ['apps', 'packages'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .sort()
      .map((name) => `${folder}/${name}/package.json`),
  )
  const files = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc', ...rooms]
  return digestOf(files, [PNPM, process.platform, process.arch])
}

function assertWritable() {
  for (const folder of [root, join(root, 'node_modules')]) {
    if (!existsSync(folder)) continue
    try {
      accessSync(folder, constants.W_OK)
    } catch {
      throw new Stop(`This user may not write in ${folder}: clone the repository again as this user.`)
    }
  }
}

async function install() {
  // npm knows this machine's proxies and mirrors. Without a registry pnpm would try for minutes; with everything in
  // its store it needs none.
  const ping = await run('npm', ['ping', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'])
  const isCutOff = ping.code !== 0 && (UNREACHABLE.test(ping.output) || UNTRUSTED.test(ping.output))
  const offline = isCutOff ? ['--offline'] : []
  const { code, output } = await run('npx', ['--yes', ...offline, PNPM, 'install', '--frozen-lockfile', ...offline])
  if (code === 0) return
  const said = isCutOff ? ping.output + output : output
  const reason = REASONS.find(({ sign }) => sign.test(said))
  throw new Stop(reason ? reason.help : `pnpm could not install the packages:\n${tail(output)}`)
}

/**
 * @param {'npm' | 'npx'} program
 * @param {string[]} args
 */
async function run(program, args) {
  // NODE_ENV=production would leave out the build's own tools; with CI set, pnpm asks no questions.
  const { NODE_ENV: _, ...env } = process.env
  try {
    return await runQuietly(program, args, { cwd: root, env: { ...env, CI: 'true' } })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Stop(`${program} was not found: install npm, which comes with Node.`)
    }
    throw error
  }
}
