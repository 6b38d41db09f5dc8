import { useMutation, useQuery } from '@tanstack/react-query'
import type { SessionSummary } from '@wardline/protocol'
import { useState } from 'react'
import { clock, rowTime } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Failure, Loading } from '../ui/screen-state.tsx'
import { useMe, useWardline } from '../wardline/context.tsx'
import { changeFailure } from './failure.ts'
import styles from './sessions-dialog.module.css'

const text = strings.sessions

/** Where one is signed in, and the way to end what one does not know. */
export function SessionsDialog({ onClose }: { readonly onClose: () => void }) {
  const { api } = useWardline()
  const me = useMe().id
  const held = useQuery({ queryKey: ['sessions', me], queryFn: () => api.sessions(), staleTime: 0 })
  const end = useMutation({
    mutationFn: async (ending: readonly SessionSummary[]) => {
      for (const { id } of ending) await api.endSession(id)
    },
    onSettled: () => held.refetch(),
  })
  const others = held.data?.items.filter(({ current }) => !current) ?? []

  return (
    <Dialog
      title={text.title}
      onClose={onClose}
      {...(others.length > 1 && {
        footer: (
          <Button kind="danger" disabled={end.isPending} onClick={() => end.mutate(others)}>
            {text.endOthers}
          </Button>
        ),
      })}
    >
      {held.isPending && <Loading lines={3} label={strings.words.loading} />}
      {held.error !== null && <Failure error={held.error} onRetry={() => void held.refetch()} />}
      {end.error !== null && (
        <p role="alert" className={styles.failure}>
          {changeFailure(end.error)}
        </p>
      )}
      {end.isSuccess && <p role="status">{text.ended}</p>}
      <ul className={styles.list}>
        {held.data?.items.map((session) => (
          <SignIn
            key={session.id}
            session={session}
            busy={end.isPending}
            onEnd={() => end.mutate([session])}
            onChanged={() => void held.refetch()}
          />
        ))}
      </ul>
      {held.data !== undefined && <p className={styles.hint}>{others.length === 0 ? text.none : text.endOthersHint}</p>}
    </Dialog>
  )
}

interface SignInProps {
  readonly session: SessionSummary
  readonly busy: boolean
  readonly onEnd: () => void
  readonly onChanged: () => void
}

function SignIn({ session, busy, onEnd, onChanged }: SignInProps) {
  const { api } = useWardline()
  const [now] = useState(() => Date.now())
  const revoke = useMutation({ mutationFn: () => api.revokeDevice(session.device), onSettled: onChanged })
  const agent = text.agent(session.agent)
  const time = (at: string) => `${rowTime(at, now)} ${clock(at)}`.replace(/^(\S+) \1$/, '$1')
  return (
    <li className={styles.item}>
      <div>
        <p className={styles.agent}>
          {agent}
          {session.current && <span className={styles.mark}>{text.here}</span>}
          {session.locked && <span className={styles.mark}>{text.locked}</span>}
        </p>
        <p className={styles.hint}>
          {text.active(time(session.lastActiveAt))}
          {session.address !== null && ` ${text.from(session.address)}`}
        </p>
        <p className={styles.hint}>{text.since(time(session.createdAt))}</p>
      </div>
      {!session.current && (
        <div className={styles.ways}>
          <Button small disabled={busy} aria-label={text.endLabel(agent)} onClick={onEnd}>
            {text.end}
          </Button>
          <Button small kind="quiet" disabled={busy || revoke.isPending} onClick={() => revoke.mutate()}>
            {text.revoke}
          </Button>
        </div>
      )}
    </li>
  )
}
