import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { TlsOptions } from 'node:tls'
import type { Config } from '../config.ts'
import { StartError } from '../errors.ts'
import { readPrivateFile, writePrivateFile } from '../keys/private-file.ts'
import { createAuthority, issueCertificate, type KeyPairPem } from './local-authority.ts'

const RENEW_BEFORE_MS = 30 * 86_400_000
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g
const CERTIFICATE = new RegExp(CERTIFICATES.source)
const PRIVATE_KEY = /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[\s\S]+?-----END (?:EC |RSA )?PRIVATE KEY-----/

/** What the server shows. `authorityFile`: the local authority's certificate, to be trusted by people; null with one's own. */
export type ServerCertificate = KeyPairPem & {
  readonly authorityFile: string | null
  readonly expiresAt: number
  /** Whose certificates clients are asked for (PEM); null: nobody is asked. */
  readonly clientAuthorities: string | null
}

type OwnCertificate = Omit<ServerCertificate, 'clientAuthorities'>

/**
 * The certificate to serve with: the operator's own files, or one of a local authority in `$WARDLINE_DATA/tls`, made at the
 * first start and anew when it is about to expire or does not name the public URL. Safe for two processes at once.
 * @param now the real time in ms: clients judge certificates by their own clocks, whatever a test's clock says.
 * @throws StartError when the operator's files cannot be used, or a private key is readable by others.
 */
export async function loadCertificate(config: Config, now: number): Promise<ServerCertificate> {
  const clientAuthorities = config.clientCertificates === 'off' ? null : await authoritiesIn(config.clientCaFile)
  const own = config.tls === null ? await localCertificate(config, now) : await operatorCertificate(config.tls)
  return { ...own, clientAuthorities }
}

/**
 * Options that make Node serve with `certificate`; also what `setSecureContext` must be given whole at a renewal. A client
 * without a certificate that holds is not cut off at TLS, where it would learn nothing, but refused (http/forwarded.ts).
 */
export function certificateOptions({ certificate, key, clientAuthorities }: ServerCertificate): TlsOptions {
  const own = { cert: certificate, key }
  return clientAuthorities === null
    ? own
    : { ...own, ca: clientAuthorities, requestCert: true, rejectUnauthorized: false }
}

async function authoritiesIn(file: string | null): Promise<string | null> {
  if (file === null) return null
  const text = await readFile(file, 'utf8').catch(() => '')
  if (!CERTIFICATE.test(text)) {
    throw new StartError(
      'WARDLINE_CLIENT_CA_FILE holds no PEM certificate that the server may read: name a file that does.',
    )
  }
  return text
}

async function operatorCertificate(files: { certFile: string; keyFile: string }): Promise<OwnCertificate> {
  const certificate = await readFile(files.certFile, 'utf8').catch((error: unknown) => {
    throw new StartError(`WARDLINE_TLS_CERT_FILE cannot be read: name a PEM file that the server may read.`, 1, {
      cause: error,
    })
  })
  const key = await readPrivateFile(files.keyFile)
  if (key === null) throw new StartError('WARDLINE_TLS_KEY_FILE is not there: name the private key of the certificate.')
  const expiresAt = expiryOf(certificate)
  if (!belongTogether({ key, certificate })) {
    throw new StartError(
      'WARDLINE_TLS_KEY_FILE does not hold the private key of WARDLINE_TLS_CERT_FILE, in PEM and without a passphrase: name the two that belong together.',
    )
  }
  return { certificate, key, authorityFile: null, expiresAt }
}

async function localCertificate(config: Config, now: number): Promise<OwnCertificate> {
  const folder = join(config.dataDir, 'tls')
  const hosts = hostsOf(config)
  const authority = await localAuthority(folder, now)
  const authorityFile = join(folder, 'authority.crt')
  const path = join(folder, 'server.pem')
  const kept = pairOf(await readPrivateFile(path))
  if (kept !== null && isGood(kept, authority, hosts, now)) {
    return { ...kept, authorityFile, expiresAt: expiryOf(kept.certificate) }
  }
  const issued = await issueCertificate(authority, hosts, now)
  const pair = { key: issued.key, certificate: `${issued.certificate}\n${authority.certificate}` }
  await writePrivateFile(path, `${pair.key}\n${pair.certificate}\n`, 'replace')
  return { ...pair, authorityFile, expiresAt: expiryOf(pair.certificate) }
}

async function localAuthority(folder: string, now: number): Promise<KeyPairPem> {
  const path = join(folder, 'authority.pem')
  const kept = pairOf(await readPrivateFile(path))
  const publicFile = join(folder, 'authority.crt')
  if (kept !== null && isLasting(kept, now) && existsSync(publicFile)) return kept
  const authority = kept !== null && isLasting(kept, now) ? kept : await newAuthority(path, kept, now)
  await writeFile(publicFile, `${authority.certificate}\n`, { mode: 0o644 })
  return authority
}

/** Of two processes at once, one makes it and both use it. */
async function newAuthority(path: string, kept: KeyPairPem | null, now: number): Promise<KeyPairPem> {
  const made = await createAuthority(now)
  const won = await writePrivateFile(path, `${made.key}\n${made.certificate}\n`, kept === null ? 'once' : 'replace')
  const authority = won ? made : pairOf(await readPrivateFile(path))
  if (authority === null)
    throw new StartError(`${path} is not a key and a certificate: remove it, and a new one is made.`)
  return authority
}

function isLasting({ certificate }: KeyPairPem, now: number): boolean {
  return expiryOf(certificate) > now + RENEW_BEFORE_MS
}

/** Names and addresses by which the server may be called; an IPv6 address in a URL wears brackets, here it does not. */
function hostsOf(config: Config): readonly string[] {
  const hosts = ['localhost', '127.0.0.1', '::1']
  const publicHost = config.publicUrl === null ? null : new URL(config.publicUrl).hostname.replace(/^\[|\]$/g, '')
  return publicHost === null || hosts.includes(publicHost) ? hosts : [publicHost, ...hosts]
}

function isGood(pair: KeyPairPem, authority: KeyPairPem, hosts: readonly string[], now: number): boolean {
  const certificate = new X509Certificate(pair.certificate)
  if (!certificate.checkIssued(new X509Certificate(authority.certificate))) return false
  if (certificate.validToDate.getTime() < now + RENEW_BEFORE_MS) return false
  return hosts.every(
    (host) => (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined,
  )
}

function pairOf(text: string | null): KeyPairPem | null {
  const key = text === null ? undefined : PRIVATE_KEY.exec(text)?.[0]
  const certificates = text?.match(CERTIFICATES) ?? []
  if (key === undefined || certificates.length === 0) return null
  const pair = { key, certificate: certificates.join('\n') }
  return belongTogether(pair) ? pair : null
}

/** False also for what is no key or no certificate. */
function belongTogether({ key, certificate }: KeyPairPem): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

function expiryOf(certificate: string): number {
  try {
    return new X509Certificate(certificate).validToDate.getTime()
  } catch (error) {
    throw new StartError('WARDLINE_TLS_CERT_FILE holds no PEM certificate: name one that does.', 1, { cause: error })
  }
}
