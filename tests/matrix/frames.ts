import { randomUUID } from 'node:crypto'
import type { ClientRequest } from '@wardline/protocol'
import type { Action } from '../../packages/policy/src/index.ts'
import type { Subject } from '../../packages/policy/src/matrix/index.ts'

type Sent = ClientRequest extends infer F ? (F extends { id: string } ? Omit<F, 'id'> : F) : never

/** A frame by which an action is asked for, of a subject with this id. */
export type Frame = { readonly action: Action; readonly frame: (id: string) => Sent; readonly unanswered?: true }

/** Every frame of a client that has signed in: what it asks policy, or why it asks nothing. A new one does not compile until it is here. */
export const frames: Readonly<Record<ClientRequest['type'], Frame | string>> = {
  'channel.subscribe': { action: 'channel.read', frame: (channel) => ({ type: 'channel.subscribe', channel }) },
  'channel.unsubscribe': 'ends what this socket has, and says the same where it has nothing',
  'message.post': {
    action: 'message.post',
    frame: (channel) => ({ type: 'message.post', channel, clientId: randomUUID(), body: 'On my way' }) as Sent,
  },
  'message.correct': {
    action: 'message.correct',
    frame: (message) => ({ type: 'message.correct', message, body: 'BP 95/60' }) as Sent,
  },
  'message.recall': {
    action: 'message.recall',
    frame: (message) => ({ type: 'message.recall', message, reason: 'duplicate' }),
  },
  'message.acknowledge': {
    action: 'message.acknowledge',
    frame: (message) => ({ type: 'message.acknowledge', message }),
  },
  'receipt.mark': {
    action: 'receipt.mark',
    frame: (channel) => ({ type: 'receipt.mark', channel, delivered: 1 }),
    unanswered: true,
  },
  'typing.set': {
    action: 'typing.set',
    frame: (channel) => ({ type: 'typing.set', channel, active: true }),
    unanswered: true,
  },
  'presence.set': { action: 'presence.set', frame: () => ({ type: 'presence.set', status: 'available' }) },
  'session.renew': 'the same person again, on the same device',
  'session.ping': 'says nothing about anything',
  'session.activity': 'says that somebody is there, and nothing about anything',
}

/** What no frame names: it is one's own. */
export const onlyOf: Partial<Record<Action, Subject>> = { 'presence.set': 'self' }
