import type { Receipt } from '@wardline/protocol'

/** How a person stands to the end of a conversation. */
export type Behind = 'read' | 'unread' | 'undelivered'

/** By their receipt: an empty conversation has been read by everybody. */
export function behind(receipt: Receipt | null, head: number): Behind {
  if (head === 0 || (receipt !== null && receipt.read >= head)) return 'read'
  return receipt !== null && receipt.delivered >= head ? 'unread' : 'undelivered'
}
