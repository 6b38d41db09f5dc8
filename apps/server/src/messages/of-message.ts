import type { Action, ActionResources, Allowed } from '@wardline/policy'
import { type AuditFact, auditId } from '../audit/event.ts'
import type { KnownChannel } from '../channels/known-channels.ts'
import { Refusal } from '../errors.ts'
import type { Asked, Asker } from '../gateway/asker.ts'
import { encode, type Frame } from '../gateway/frame.ts'
import type { Accepted } from './submit.ts'

type MessageAction = 'message.correct' | 'message.recall' | 'message.acknowledge'

/** The channel of a message that somebody would correct, recall or acknowledge, and the right by which they may. */
export interface OfMessage {
  readonly known: KnownChannel
  readonly recalled: boolean
  readonly audit: AuditFact
}

/**
 * Finds the message and asks policy. One that is not there and one that may not be known to be there give the same answer.
 * @throws Refusal
 */
export async function decideOfMessage(
  asker: Asker,
  action: MessageAction & Action,
  request: Asked & { readonly message: string },
): Promise<OfMessage> {
  const { gateway, tenant } = asker
  const { message: id } = request
  const found = await gateway.database.findMessage(tenant, id)
  const known = found === null ? null : await gateway.channels.load(tenant, found.channel)
  if (found === null || known === null) throw new Refusal('not-found', 'not-found')
  const resource: ActionResources['message.correct'] = {
    kind: 'message',
    tenant,
    id,
    sender: found.sender,
    channel: known.resource,
  }
  const { reason }: Allowed = asker.decide(action, resource)
  const { patient } = known.resource
  const audit: AuditFact = {
    ...asker.trail,
    action,
    outcome: 'allowed',
    reason,
    channel: auditId(known.resource.id),
    message: auditId(id),
    ...(patient === null ? {} : { patient: auditId(patient) }),
  }
  return { known, recalled: found.recalled, audit }
}

export function doneFrame(request: { readonly id: string }, { seq }: Accepted): Frame {
  return encode({ type: 'done', replyTo: request.id, seq })
}
