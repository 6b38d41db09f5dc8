import { once } from 'node:events'
import { connect } from 'node:tls'

/**
 * Sends these bytes over TLS as they are, and gives all that comes back until the server hangs up. `servername`: what the
 * client asks for before anything is encrypted.
 */
export async function rawTls(
  to: { readonly url: string; readonly ca: string | Buffer },
  bytes: string | Buffer,
  { servername = 'localhost' }: { servername?: string } = {},
): Promise<string> {
  const port = Number(new URL(to.url).port)
  const checkServerIdentity = () => undefined
  const socket = connect({ port, host: '127.0.0.1', ca: to.ca, servername, checkServerIdentity })
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.write(bytes)
  await once(socket, 'close')
  return Buffer.concat(chunks).toString('latin1')
}
