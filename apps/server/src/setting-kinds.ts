import { isIP } from 'node:net'
import { COSIGNATURE, parseVerifierKey } from '@wardline/transparency-log'
import { z } from 'zod'

/** One variable of the environment: what it takes, and the words for `.env.example` and for who got it wrong. */
export type Setting<S extends z.ZodType = z.ZodType> = {
  readonly schema: S
  /** What it is for; one line each in `.env.example`. */
  readonly about: string
  /** What to do when it is wrong, without the final stop. */
  readonly fix: string
  /** The default, or an example where there is none. */
  readonly shown: string
  /** Also read from the file that `<NAME>_FILE` names; its value is never printed. */
  readonly secret?: true
}

/** One without a default. */
export function optional<S extends z.ZodType>(schema: S, text: Omit<Setting, 'schema'>): Setting<z.ZodOptional<S>> {
  return { schema: schema.optional(), ...text }
}

/** A whole number. */
export function whole(fallback: number, min: number, max: number, about: string) {
  const schema = z
    .string()
    .regex(/^\d{1,10}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .default(fallback)
  return { schema, about, fix: `give a whole number from ${min} to ${max}`, shown: String(fallback) }
}

/** An address of this machine, or a name of one. */
export function host() {
  return z.string().regex(/^[A-Za-z0-9.:_-]+$/)
}

/** A TCP port; 0: any that is free. */
export function port() {
  return z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .pipe(z.int().min(0).max(65_535))
}

/** 1 or 0. */
export function flag(fallback: boolean, about: string) {
  const schema = z
    .enum(['0', '1', 'false', 'true'])
    .transform((text) => text === '1' || text === 'true')
    .default(fallback)
  return { schema, about, fix: 'give 1 or 0', shown: fallback ? '1' : '0' }
}

/** Several of a kind, separated by commas. */
export function list<S extends z.ZodType<string, string>>(item: S) {
  return z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item))
    .default([])
}

/** A URL over https, or http to this machine alone. */
export function httpUrl() {
  return z.string().refine((text) => {
    if (!URL.canParse(text)) return false
    const { protocol, hostname, pathname } = new URL(text)
    const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
    return (protocol === 'https:' || (protocol === 'http:' && isHere)) && pathname.length > 1
  })
}

/** `https://… name+id+key`; what a witness answers is signed, so plain http would do as well. */
export function witness() {
  return z.string().refine((text) => {
    const { url, vkey } = witnessOf(text)
    try {
      return parseVerifierKey(vkey).type === COSIGNATURE && /^https?:$/.test(new URL(url).protocol)
    } catch {
      return false
    }
  })
}

/** The two halves of a witness' setting. */
export function witnessOf(text: string): { readonly url: string; readonly vkey: string } {
  const [url = '', vkey = ''] = text.split(/ +/)
  return { url, vkey }
}

/** An exact origin over https. A trailing slash is forgiven; a path, a query, credentials, `*` or `null` are not. */
export function httpsOrigin() {
  return z
    .string()
    .transform((text) => text.replace(/\/$/, ''))
    .refine((text) => /^https:\/\/[a-z0-9.:[\]-]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text)
}

export function postgresUrl() {
  return z.string().refine((text) => URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol))
}

/** An address, or a network of at least /8: to trust everyone is to let everyone choose their address. */
export function cidr() {
  return z.string().refine((text) => {
    const [address = '', bits, ...rest] = text.split('/')
    const family = isIP(address)
    if (family === 0 || rest.length > 0) return false
    return (
      bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 8 && Number(bits) <= (family === 4 ? 32 : 128))
    )
  })
}
