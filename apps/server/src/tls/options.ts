import { constants } from 'node:crypto'
import type { TlsOptions } from 'node:tls'

/**
 * The kinds of key that are exchanged, by their numbers (RFC 8446 §4.2.7). The first is X25519 beside ML-KEM-768: what is recorded today is
 * not read by a quantum computer later. No finite fields.
 */
export const KEY_EXCHANGES = { X25519MLKEM768: 0x11ec, X25519: 0x001d, prime256v1: 0x0017, secp384r1: 0x0018 } as const

/**
 * TLS 1.2 and 1.3, key exchange by ECDHE alone, AEAD alone, AES-256-GCM first and the server's order kept. In 1.3 every
 * suite is of that kind. Named one by one: a cipher string that says what is left out lets in what is invented later.
 */
export const TLS_OPTIONS = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  honorCipherOrder: true,
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ].join(':'),
  ecdhCurve: Object.keys(KEY_EXCHANGES).join(':'),
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  ALPNProtocols: ['http/1.1'],
  handshakeTimeout: 10_000,
} as const satisfies TlsOptions
