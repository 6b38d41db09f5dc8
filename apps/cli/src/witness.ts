import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { readBody, Witness } from '@wardline/transparency-log/witness'
import { Command } from 'commander'
import { keyOf } from './audit/keys.ts'
import { CliError } from './cli-error.ts'

/** A request is a proof of at most 63 hashes and a checkpoint. */
const MAX_REQUEST = 64 * 1024
const REQUEST_MS = 10_000

type Options = { log: string[]; state: string; name: string; listen: string; tlsCert?: string; tlsKey?: string }

/** `wardline witness`: cosigns the checkpoints of logs, on a machine that is not theirs (C2SP tlog-witness). */
export function witnessCommand(): Command {
  return new Command('witness')
    .description(
      'Cosign the checkpoints of audit logs, each only if it extends the last one: C2SP tlog-witness, at /add-checkpoint. Run it where those\nwho run the log have no say. One process for a state folder.',
    )
    .requiredOption('--log <key>', 'public key of a log, or a file with it; may be repeated', gather, [])
    .requiredOption('--name <name>', 'name of this witness, as witness.example.net/hospital')
    .option('--state <folder>', 'where its key and the last tree of each log are kept', 'witness')
    .option('--listen <host:port>', 'where it listens', '127.0.0.1:8446')
    .option('--tls-cert <file>', 'certificate (PEM), for https')
    .option('--tls-key <file>', 'its key (PEM)')
    .action(runWitness)
}

async function runWitness(options: Options): Promise<void> {
  await mkdir(options.state, { recursive: true, mode: 0o700 })
  const logs = await Promise.all(options.log.map(keyOf))
  const witness = await Witness.open({ folder: options.state, name: options.name, logs, now: () => Date.now() })
  const server = await makeServer(options, (request, response) => {
    const isAsked = request.method === 'POST' && request.url === '/add-checkpoint'
    const answering = isAsked
      ? readBody(request, MAX_REQUEST).then((body) => (body === undefined ? PLAIN(413) : witness.addCheckpoint(body)))
      : Promise.resolve(PLAIN(request.url === '/add-checkpoint' ? 405 : 404))
    void answering
      .catch(() => PLAIN(500))
      .then(({ status, body, contentType }) => {
        response.writeHead(status, { 'Content-Type': contentType, 'Cache-Control': 'no-store' }).end(body)
      })
  })
  Object.assign(server, { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS })
  const { host, port } = placeOf(options.listen)
  server.listen(port, host)
  await once(server, 'listening').catch((error: unknown) => {
    throw new CliError(`${options.listen}: cannot listen there.`, { cause: error })
  })
  const scheme = options.tlsCert === undefined ? 'http' : 'https'
  const url = `${scheme}://${host}:${(server.address() as AddressInfo).port}`
  process.stdout.write(`WARDLINE_WITNESSES=${url} ${witness.vkey}\n`)
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  server.close()
  server.closeAllConnections()
}

const PLAIN = (status: number) => ({ status, body: '', contentType: 'text/plain' })

async function makeServer({ tlsCert, tlsKey }: Options, answer: RequestListener): Promise<Server> {
  if (tlsCert === undefined && tlsKey === undefined) return createServer(answer)
  if (tlsCert === undefined || tlsKey === undefined) throw new CliError('--tls-cert goes with --tls-key.')
  const [cert, key] = await Promise.all([readFile(tlsCert), readFile(tlsKey)]).catch((error: unknown) => {
    throw new CliError('the certificate or its key cannot be read.', { cause: error })
  })
  return createTlsServer({ cert, key, minVersion: 'TLSv1.2' }, answer)
}

function placeOf(listen: string): { host: string; port: number } {
  const [, host = '', port = ''] = /^\[?([^\]]*?)\]?:(\d{1,5})$/.exec(listen) ?? []
  if (port === '') throw new CliError(`--listen ${listen}: give host:port.`)
  return { host, port: Number(port) }
}

function gather(value: string, before: string[]): string[] {
  return [...before, value]
}
