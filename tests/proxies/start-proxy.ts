import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { call } from '../_util/https.ts'

export type Ports = { readonly plain: number; readonly tls: number; readonly nodes: readonly number[] }

/** A proxy that runs the example of deploy/. */
export type Proxy = {
  readonly name: 'nginx' | 'caddy'
  /** What it says of itself: `nginx 1.22.1`. */
  readonly version: string
  readonly url: string
  readonly plainPort: number
  readonly nodePorts: readonly number[]
  stop(): Promise<void>
}

type Where = {
  readonly folder: string
  readonly dataDir: string
  readonly url: string
  readonly ports: Ports
  /** PEM of the authority of devices, where those are asked for their certificates. */
  readonly devices?: string
}

/** Starts the proxy in the foreground, with the local authority's certificate, and waits until somebody answers behind it. */
export async function startProxy(name: 'nginx' | 'caddy', where: Where): Promise<Proxy> {
  const { folder, dataDir, url, ports } = where
  const tls = join(folder, 'etc')
  mkdirSync(tls, { recursive: true })
  if (where.devices !== undefined) writeFileSync(join(tls, 'devices.crt'), where.devices)
  const own = readFileSync(join(dataDir, 'tls', 'server.pem'), 'utf8')
  writeFileSync(join(tls, 'tls.key'), own.slice(0, own.indexOf('-----BEGIN CERTIFICATE')), { mode: 0o600 })
  writeFileSync(join(tls, 'tls.crt'), own.slice(own.indexOf('-----BEGIN CERTIFICATE')))
  copyFileSync(join(dataDir, 'tls', 'authority.crt'), join(tls, 'authority.crt'))
  const { command, args, version } = name === 'nginx' ? nginx(where, tls) : caddy(where, tls)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: folder } })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
  await answering(child, url, readFileSync(join(tls, 'authority.crt')), () => said)
  return {
    name,
    version,
    url,
    plainPort: ports.plain,
    nodePorts: ports.nodes,
    async stop() {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'close')
    },
  }
}

async function answering(child: ChildProcess, url: string, ca: Buffer, said: () => string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the proxy ended: ${said()}`)
    const answer = await call({ url, ca }, { path: '/readyz' }).catch(() => null)
    if (answer?.status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function nginx({ folder, ports, devices }: Where, tls: string) {
  const example = exampleWith('nginx.conf', devices !== undefined, [
    ['listen 80;', `listen 127.0.0.1:${ports.plain};`],
    ['listen 443 ssl', `listen 127.0.0.1:${ports.tls} ssl`],
    ...sameNames(ports, tls),
    ['/var/log/nginx/', `${folder}/`],
  ])
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join('\n')
  const whole = `daemon off;\npid ${folder}/nginx.pid;\nerror_log stderr warn;\nevents {}\nhttp {\naccess_log off;\n${temporary}\n${example}}\n`
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, whole)
  const [, version = ''] = /nginx\/([\d.]+)/.exec(execFileSync('sh', ['-c', 'nginx -v 2>&1']).toString()) ?? []
  return { command: 'nginx', args: ['-p', folder, '-e', 'stderr', '-c', file], version: `nginx ${version}` }
}

function caddy({ folder, ports, devices }: Where, tls: string) {
  const example = exampleWith('Caddyfile', devices !== undefined, [
    ['\tadmin off', `\tadmin off\n\thttp_port ${ports.plain}\n\thttps_port ${ports.tls}\n\tskip_install_trust`],
    ['\nward.example.org {', `\nlocalhost:${ports.tls} {\n\tbind 127.0.0.1`],
    ...sameNames(ports, tls),
  ])
  const file = join(folder, 'Caddyfile')
  writeFileSync(file, example)
  const version = execFileSync('caddy', ['version']).toString().trim().split(' ')[0] ?? ''
  return { command: 'caddy', args: ['run', '--config', file, '--adapter', 'caddyfile'], version: `Caddy ${version}` }
}

const sameNames = (ports: Ports, tls: string): [string, string][] => [
  ['10.0.0.11:8443', `127.0.0.1:${ports.nodes[0]}`],
  ['10.0.0.12:8443', `127.0.0.1:${ports.nodes[1]}`],
  ['ward.example.org', 'localhost'],
  ['/etc/wardline/', `${tls}/`],
]

/** The example with what is of its reader's machine changed, and nothing else. */
function exampleWith(name: string, devices: boolean, changes: readonly [string, string][]): string {
  let text = readFileSync(fileURLToPath(new URL(`../../deploy/${name}`, import.meta.url)), 'utf8')
  if (devices) text = text.replaceAll(/^(\s*)#devices# /gm, '$1').replaceAll(/^.*#devices-off#$/gm, '')
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`deploy/${name} holds no ${from} any more`)
    text = text.replaceAll(from, to)
  }
  return text
}
