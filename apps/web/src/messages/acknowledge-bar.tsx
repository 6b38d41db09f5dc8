import type { AcknowledgeResponse } from '@wardline/protocol'
import { useState } from 'react'
import { clock } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { useWardline } from '../wardline/context.tsx'
import styles from './message-row.module.css'
import type { Amendment, PostedMessage } from './timeline.ts'

const { acknowledge: text } = strings.messages
const RESPONSES: readonly AcknowledgeResponse[] = ['will-do', 'on-my-way', 'call-me', 'cannot']

interface AcknowledgeBarProps {
  readonly message: PostedMessage
  readonly amendment: Amendment
  readonly me: string
  readonly allowed: boolean
}

/** Under a message that asks me: one press acknowledges, another also says what I will do. Afterwards: what I answered. */
export function AcknowledgeBar({ message, amendment, me, allowed }: AcknowledgeBarProps) {
  const wardline = useWardline()
  const [state, setState] = useState<'idle' | 'busy' | 'failed'>('idle')
  const mine = amendment.acknowledgements.find((each) => each.by === me)

  const acknowledge = (response: AcknowledgeResponse) => {
    setState('busy')
    wardline.acknowledge(message.id, response).then(
      () => setState('idle'),
      () => setState('failed'),
    )
  }

  if (mine !== undefined) {
    return <p className={styles.acknowledged}>{text.mine(text.responses[mine.response ?? 'seen'], clock(mine.at))}</p>
  }
  if (!allowed || amendment.recall !== null) return null
  return (
    <div className={styles.acknowledge}>
      <Button
        kind={message.priority === 'routine' ? 'primary' : message.priority}
        disabled={state === 'busy'}
        onClick={() => acknowledge('seen')}
      >
        {text.button}
      </Button>
      {RESPONSES.map((response) => (
        <Button key={response} small disabled={state === 'busy'} onClick={() => acknowledge(response)}>
          {text.responses[response]}
        </Button>
      ))}
      {state === 'failed' && (
        <p role="alert" className={styles.failed}>
          {text.failed}
        </p>
      )}
    </div>
  )
}
