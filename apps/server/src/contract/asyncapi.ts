import {
  type ClientFrame,
  clientFrame,
  type ServerFrame,
  SOCKET_PATH,
  SUBPROTOCOL,
  serverFrame,
} from '@wardline/protocol'
import { z } from 'zod'

type Sent = ServerFrame['type']
type Asked = ClientFrame['type']

/** What each frame of a client is answered with, beside `error`. None: it has no `id` and no answer. */
const ANSWERS: Readonly<Record<Asked, readonly Sent[]>> = {
  'session.authenticate': ['session.authenticated'],
  'session.renew': ['session.renewed'],
  'session.ping': ['done'],
  'session.activity': [],
  'channel.subscribe': ['channel.subscribed'],
  'channel.unsubscribe': ['done'],
  'message.post': ['message.accepted'],
  'message.correct': ['done'],
  'message.recall': ['done'],
  'message.acknowledge': ['done'],
  'receipt.mark': [],
  'typing.set': [],
  'presence.set': ['done'],
}
/** A failure of these closes the socket with 4401; there is no `error`. */
const CLOSING: ReadonlySet<Asked> = new Set(['session.authenticate', 'session.renew'])

const CHANNEL = { $ref: '#/channels/socket' }
const inChannel = (type: string) => ({ $ref: `#/channels/socket/messages/${type}` })

/**
 * The socket's half of the contract as AsyncAPI 3.0, from the schemas that judge its frames.
 * @param host of the public URL, `ward.example.org:8443`
 */
export function describeSocket(host: string): Readonly<Record<string, unknown>> {
  const asked = clientFrame.options.map((schema) => ({ type: schema.shape.type.value, schema }))
  const sent = serverFrame.options.map((schema) => ({ type: schema.shape.type.value, schema }))
  const answers = new Set<Sent>(Object.values(ANSWERS).flat())
  const messages = [...asked, ...sent]
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Wardline',
      version: '1',
      description: `The socket: one JSON text frame a message, subprotocol \`${SUBPROTOCOL}\`, an Origin of the allowlist. A request's \`id\` comes back as \`replyTo\`. Close codes, limits and rules are in PROTOCOL.md; the calls over HTTPS in /openapi.json.`,
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: { wardline: { host, protocol: 'wss' } },
    channels: {
      socket: {
        address: SOCKET_PATH,
        servers: [{ $ref: '#/servers/wardline' }],
        messages: Object.fromEntries(messages.map(({ type }) => [type, { $ref: `#/components/messages/${type}` }])),
        bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
      },
    },
    operations: {
      ...Object.fromEntries(asked.map(({ type }) => [type, operation('receive', type, answersOf(type))])),
      ...Object.fromEntries(
        sent.filter(({ type }) => !answers.has(type)).map(({ type }) => [type, operation('send', type, [])]),
      ),
    },
    components: {
      messages: Object.fromEntries(
        messages.map(({ type, schema }) => [type, { name: type, payload: payloadOf(schema) }]),
      ),
    },
  }
}

function answersOf(type: Asked): readonly Sent[] {
  const answers = ANSWERS[type]
  return answers.length === 0 || CLOSING.has(type) ? answers : [...answers, 'error']
}

function operation(action: 'send' | 'receive', type: string, answers: readonly string[]) {
  const own = { action, channel: CHANNEL, messages: [inChannel(type)] }
  return answers.length === 0 ? own : { ...own, reply: { channel: CHANNEL, messages: answers.map(inChannel) } }
}

/** What the frame's reader takes, whichever end that is: so limits that a client may not know are let pass (P9). AsyncAPI's own form of a schema is a superset of draft 7. */
function payloadOf(schema: z.ZodType) {
  const { $schema: _, ...payload } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any' })
  return payload
}
