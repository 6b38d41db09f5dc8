import 'reflect-metadata'
import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

const DAY_MS = 86_400_000
const AUTHORITY_LIFE_MS = 3_650 * DAY_MS
const CERTIFICATE_LIFE_MS = 90 * DAY_MS
/** Clocks of clients that are a little behind. */
const BACKDATE_MS = 3_600_000
const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** A certificate and its key in PEM, as one text each. */
export type KeyPairPem = { readonly certificate: string; readonly key: string }

/** A certificate authority of this installation alone, for people to trust once instead of clicking a warning away. */
export async function createAuthority(now: number): Promise<KeyPairPem> {
  const keys = await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=Wardline local authority ${randomBytes(3).toString('hex')}`,
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + AUTHORITY_LIFE_MS),
    signingAlgorithm: P256,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) }
}

/** A certificate for `hosts` (names and addresses) to serve with, signed by `authority`. The first name is its subject. */
export async function issueCertificate(
  authority: KeyPairPem,
  hosts: readonly string[],
  now: number,
  usage: 'serverAuth' | 'clientAuth' = 'serverAuth',
): Promise<KeyPairPem> {
  const issuer = new X509Certificate(authority.certificate)
  const keys = await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const notAfter = Math.min(now + CERTIFICATE_LIFE_MS, issuer.notAfter.getTime())
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [hosts[0] ?? 'localhost'] }],
    issuer: issuer.subjectName,
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(notAfter),
    signingAlgorithm: P256,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage[usage]]),
      new SubjectAlternativeNameExtension(
        hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host })),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) }
}

/** 16 random bytes, the first bit clear: positive in DER (RFC 5280 §4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

/** By inference: `CryptoKey` has one name where the DOM's types are loaded, and another where they are not. */
type PrivateKey = Awaited<ReturnType<typeof importKey>>

async function exportKey(key: PrivateKey): Promise<string> {
  return PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

function importKey(pem: string) {
  return crypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(pem), P256, false, ['sign'])
}
