import { z } from 'zod'
import { limitSettings } from './limit-settings.ts'
import {
  cidr,
  flag,
  host,
  httpsOrigin,
  httpUrl,
  list,
  optional,
  port,
  postgresUrl,
  type Setting,
  whole,
  witness,
} from './setting-kinds.ts'

const named = {
  WARDLINE_DEMO: flag(false, 'Demonstration: invented patients and people, this machine alone. `npm start` sets it.'),
  WARDLINE_HOST: optional(host(), {
    about: 'The address to listen on. In a demonstration 127.0.0.1, else 0.0.0.0.',
    fix: 'give an address of this machine, as 127.0.0.1',
    shown: '127.0.0.1',
  }),
  WARDLINE_PORT: whole(8443, 0, 65_535, 'The one port, for https and wss. 0 takes any free one.'),
  WARDLINE_DATA: {
    schema: z.string().default('.data'),
    about: 'The folder for everything the server writes: keys, certificates, the embedded database, logs.',
    fix: 'give a folder',
    shown: '.data',
  },
  WARDLINE_KEYS_DIR: optional(z.string(), {
    about: 'The folder of the root key and the signing keys, the same for all nodes. By default $WARDLINE_DATA/keys.',
    fix: 'give a folder',
    shown: '.data/keys',
  }),
  WARDLINE_DATABASE_URL: {
    ...optional(postgresUrl(), {
      about:
        'PostgreSQL, as the owner of the schema: used to migrate. Unset: an embedded PostgreSQL in $WARDLINE_DATA.',
      fix: 'give a URL as postgresql://owner:password@host:5432/wardline',
      shown: 'postgresql://owner:password@localhost:5432/wardline',
    }),
    secret: true as const,
  },
  WARDLINE_DATABASE_APP_URL: {
    ...optional(postgresUrl(), {
      about:
        'PostgreSQL, as the role that serves; a member of wardline_app that owns nothing. Unset: the server makes one.',
      fix: 'give a URL as postgresql://wardline_server:password@host:5432/wardline',
      shown: 'postgresql://wardline_server:password@localhost:5432/wardline',
    }),
    secret: true as const,
  },
  WARDLINE_DATABASE_SEQUENCER_URL: {
    ...optional(postgresUrl(), {
      about:
        'PostgreSQL, as the role of the audit log; a member of wardline_sequencer alone. Unset: the server makes one.',
      fix: 'give a URL as postgresql://wardline_log:password@host:5432/wardline',
      shown: 'postgresql://wardline_log:password@localhost:5432/wardline',
    }),
    secret: true as const,
  },
  WARDLINE_SEQUENCER: {
    schema: z.enum(['embedded', 'off']).default('embedded'),
    about: 'Who writes the audit log: embedded (this process), or off (`wardline sequencer`, a process of its own).',
    fix: 'give embedded or off',
    shown: 'embedded',
  },
  WARDLINE_ALERTS: {
    schema: z.enum(['embedded', 'off']).default('embedded'),
    about: 'Whether this process looks for alerts in the audit log: embedded (of several one does), or off.',
    fix: 'give embedded or off',
    shown: 'embedded',
  },
  WARDLINE_ALERTS_STALE_SECONDS: whole(
    30,
    2,
    3_600,
    'Seconds without a place in the audit log after which an event raises an alert.',
  ),
  WARDLINE_WEBHOOK_NETWORKS: {
    schema: list(cidr()),
    about:
      'Private networks that the webhooks of alerts may be sent to, as CIDRs, separated by commas. Unset: public ones alone.',
    fix: 'give addresses or CIDRs as 10.0.0.0/24, separated by commas; never a whole address space',
    shown: '10.0.0.0/24',
  },
  WARDLINE_WEBHOOK_CA_FILE: optional(z.string(), {
    about: 'Certificate authorities (PEM) that webhooks trust besides the usual ones.',
    fix: 'give a file',
    shown: '/etc/wardline/webhook-ca.pem',
  }),
  WARDLINE_BUS: {
    schema: z.enum(['postgres', 'off']).default('postgres'),
    about:
      'How nodes tell each other what has changed: postgres (LISTEN/NOTIFY), or off (each looks for itself; behind a pooler).',
    fix: 'give postgres or off',
    shown: 'postgres',
  },
  WARDLINE_AUDIT_DIR: optional(z.string(), {
    about:
      'The folder of the audit log, the same for every process that may write it. By default $WARDLINE_DATA/audit-log.',
    fix: 'give a folder',
    shown: '.data/audit-log',
  }),
  WARDLINE_AUDIT_S3_URL: optional(httpUrl(), {
    about:
      'A bucket for the audit log in place of that folder: S3, or what speaks like it, with object lock. The bucket is the first part of the path.',
    fix: 'give https://host/bucket or https://host/bucket/prefix',
    shown: 'https://s3.eu-central-1.amazonaws.com/hospital-audit/wardline',
  }),
  WARDLINE_AUDIT_S3_REGION: {
    schema: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/)
      .default('us-east-1'),
    about: 'Its region.',
    fix: 'give a region as eu-central-1',
    shown: 'us-east-1',
  },
  WARDLINE_AUDIT_S3_ACCESS_KEY_ID: optional(z.string(), {
    about: 'Who writes it: may put, get and list objects and delete partial tiles, and nothing else.',
    fix: 'give the id of an access key',
    shown: 'AKIA…',
  }),
  WARDLINE_AUDIT_S3_SECRET_ACCESS_KEY: {
    ...optional(z.string(), { about: 'Its secret.', fix: 'give the secret of the access key', shown: '…' }),
    secret: true as const,
  },
  WARDLINE_AUDIT_S3_RETENTION_DAYS: whole(
    2_192,
    0,
    36_500,
    'Days for which nobody can delete what is written there (object lock, COMPLIANCE). 0: no lock.',
  ),
  WARDLINE_WITNESSES: {
    schema: list(witness()),
    about:
      'Witnesses that cosign the audit log (C2SP tlog-witness): the URL and the public key of each, as `wardline witness` prints them, separated by commas.',
    fix: 'give the URL, a space and the public key of each, separated by commas',
    shown: 'https://witness.example.net witness.example.net+e84818b2+BI1ZSob1Dvj5yacUWm3sAQUgzgHrYl6CzZ8HtB3KdWWm',
  },
  WARDLINE_PUBLIC_URL: optional(httpsOrigin(), {
    about: 'What people type: proofs are made for it, certificates name it. By default https://localhost:<port>.',
    fix: 'give https://host or https://host:port, without a path',
    shown: 'https://localhost:8443',
  }),
  WARDLINE_ALLOWED_ORIGINS: {
    schema: list(httpsOrigin()),
    about: 'Origins that may call besides the public URL, separated by commas. Exact; no wildcards.',
    fix: 'give exact origins as https://host:port, separated by commas; `*` and `null` would let every site in',
    shown: 'https://wardline.example.org',
  },
  WARDLINE_ALLOW_NO_ORIGIN: flag(
    false,
    'Whether clients that are no browsers (bots, interfaces) may call without an Origin.',
  ),
  WARDLINE_TRUSTED_PROXIES: {
    schema: list(cidr()),
    about: 'Reverse proxies whose X-Forwarded-For and -Proto are believed, as addresses or CIDRs, separated by commas.',
    fix: 'give addresses or CIDRs as 10.0.0.0/24, separated by commas; never a whole address space',
    shown: '10.0.0.0/24',
  },
  WARDLINE_TLS_CERT_FILE: optional(z.string(), {
    about: 'A certificate chain of your own (PEM). Unset: the server makes a local authority and a certificate.',
    fix: 'give a file',
    shown: '/etc/wardline/tls.crt',
  }),
  WARDLINE_TLS_KEY_FILE: optional(z.string(), {
    about: 'The private key of that certificate (PEM).',
    fix: 'give a file',
    shown: '/etc/wardline/tls.key',
  }),
  WARDLINE_CLIENT_CERTIFICATES: {
    schema: z.enum(['off', 'required']).default('off'),
    about:
      'Whether clients have to show a certificate of WARDLINE_CLIENT_CA_FILE, to us or to a trusted proxy: off or required.',
    fix: 'give off or required',
    shown: 'off',
  },
  WARDLINE_CLIENT_CA_FILE: optional(z.string(), {
    about: 'The authorities that client certificates are issued by (PEM). Not needed where proxies verify all of them.',
    fix: 'give a file',
    shown: '/etc/wardline/clients.crt',
  }),
  WARDLINE_ACCESS_TOKEN_SECONDS: whole(300, 5, 300, 'How long an access token lives, in seconds.'),
  WARDLINE_SIGNING_KEY_DAYS: whole(
    30,
    0,
    3_650,
    'For how many days a key signs access tokens before the next one does. 0: until `wardline keys rotate`.',
  ),
  WARDLINE_SESSION_HOURS: whole(12, 1, 24, 'How long a sign-in lives at most, in hours, whatever its user does.'),
  WARDLINE_SET_UP_HOURS: whole(
    24,
    1,
    168,
    'For how many hours a link serves by which somebody sets the password of their account.',
  ),
  WARDLINE_STEP_UP_MINUTES: whole(
    15,
    0,
    1_440,
    'For how long a proof of who one is serves for roles, exports, keys and others’ sessions, in minutes. 0: no limit.',
  ),
  WARDLINE_STEP_UP_BY_CERTIFICATE: flag(
    false,
    'Whether a session that is bound to a client certificate needs no such proof: with WARDLINE_CLIENT_CERTIFICATES alone.',
  ),
  WARDLINE_ARGON2_MEMORY_KIB: whole(19_456, 19_456, 4_194_304, 'Memory of one password hash (argon2id), in KiB.'),
  WARDLINE_ARGON2_ITERATIONS: whole(2, 2, 100, 'Passes over that memory.'),
  WARDLINE_ARGON2_PARALLELISM: whole(1, 1, 16, 'Lanes of one password hash.'),
  WARDLINE_ARGON2_CONCURRENCY: whole(2, 1, 64, 'Passwords hashed at once, each on its own thread; others wait.'),
  WARDLINE_LOG_LEVEL: {
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    about: 'What is logged: debug, info, warn, error or silent.',
    fix: 'give one of debug, info, warn, error, silent',
    shown: 'info',
  },
  WARDLINE_LOG_FILE: optional(z.string(), {
    about: 'Where to. By default standard output; in a demonstration $WARDLINE_DATA/wardline.log.',
    fix: 'give a file',
    shown: '.data/wardline.log',
  }),
  WARDLINE_METRICS_PORT: optional(port(), {
    about: 'The port for GET /metrics (Prometheus), over TLS like the other. Unset: none. 0 takes any free one.',
    fix: 'give a whole number from 0 to 65535',
    shown: '9464',
  }),
  WARDLINE_METRICS_HOST: {
    schema: host().default('127.0.0.1'),
    about:
      'The address to listen on for that. Whoever reaches it may read it: there are counts in it, and nobody’s data.',
    fix: 'give an address of this machine, as 127.0.0.1',
    shown: '127.0.0.1',
  },
}

/** Every variable there is, in the order of `.env.example`. */
export const settings: Readonly<Record<string, Setting>> = { ...named, ...limitSettings }

export const settingSchema = z.object(schemasOf(named)).extend(schemasOf(limitSettings))

function schemasOf<T extends Record<string, Setting>>(of: T): { [K in keyof T]: T[K]['schema'] } {
  return Object.fromEntries(Object.entries(of).map(([name, { schema }]) => [name, schema])) as {
    [K in keyof T]: T[K]['schema']
  }
}
