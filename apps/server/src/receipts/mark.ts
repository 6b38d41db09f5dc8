import type { ClientRequest } from '@wardline/protocol'
import { auditId } from '../audit/event.ts'
import type { KnownChannel } from '../channels/known-channels.ts'
import { Refusal } from '../errors.ts'
import type { Asker } from '../gateway/asker.ts'

type ReceiptMark = Extract<ClientRequest, { type: 'receipt.mark' }>

/** How far one has got. Not answered: when it moves, whoever reads the channel is told. */
export function mark(asker: Asker, frame: ReceiptMark): Promise<void> | undefined {
  const known = asker.gateway.channels.peek(asker.tenant, frame.channel)
  if (known !== undefined) {
    markIn(asker, frame, known)
    return undefined
  }
  return asker.gateway.channels.load(asker.tenant, frame.channel).then((loaded) => {
    if (loaded === null) throw new Refusal('not-found', 'not-found')
    markIn(asker, frame, loaded)
  })
}

function markIn(asker: Asker, { channel, delivered = 0, read = 0 }: ReceiptMark, { resource }: KnownChannel): void {
  const { reason } = asker.decide('receipt.mark', resource)
  if (delivered === 0 && read === 0) return
  asker.gateway.receipts.mark(asker.tenant, {
    kind: 'receipt',
    channelId: channel,
    userId: asker.user,
    delivered,
    read,
    audit: {
      ...asker.trail,
      action: 'receipt.mark',
      outcome: 'allowed',
      reason,
      channel: auditId(channel),
      seq: read,
      ...(resource.patient === null ? {} : { patient: auditId(resource.patient) }),
    },
  })
}
