import { useNavigate } from '@tanstack/react-router'
import type { ChannelSummary } from '@wardline/protocol'
import { ArrowLeft, Info } from 'lucide-react'
import { type RefObject, useCallback } from 'react'
import { useChannelSummary, useInbox, useInboxChanges } from '../inbox/api.ts'
import { channelName } from '../inbox/sections.ts'
import { MemberList } from '../members/member-list.tsx'
import { type ConversationHandle, ConversationPane } from '../messages/conversation-pane.tsx'
import { PatientBanner, PlainBanner } from '../patients/patient-banner.tsx'
import { PatientDetails } from '../patients/patient-details.tsx'
import { strings } from '../strings.ts'
import { IconButton } from '../ui/button.tsx'
import { Failure, Loading } from '../ui/screen-state.tsx'
import styles from './conversation-view.module.css'
import type { Layout } from './use-layout.ts'

interface ConversationViewProps {
  readonly channelId: string
  readonly layout: Layout
  /** Whether the address asks for the details. */
  readonly about: boolean
  readonly now: number
  readonly handle: RefObject<ConversationHandle | null>
}

/** One conversation with what it is about: beside it where there is room, behind a button where there is not. */
export function ConversationView({ channelId, layout, about, now, handle }: ConversationViewProps) {
  const inbox = useInbox()
  const listed = inbox.data?.find((each) => each.id === channelId)
  const asked = useChannelSummary(channelId, listed === undefined && !inbox.isPending)
  const summary = listed ?? asked.data

  if (summary === undefined) {
    return (
      <div className={styles.state}>
        <BackButton layout={layout} />
        {asked.isError ? <Failure error={asked.error} onRetry={() => void asked.refetch()} /> : <Loading />}
      </div>
    )
  }
  return <KnownConversation summary={summary} layout={layout} about={about} now={now} handle={handle} />
}

function BackButton({ layout }: { readonly layout: Layout }) {
  const navigate = useNavigate()
  if (layout !== 'one') return null
  return <IconButton label={strings.words.back} icon={ArrowLeft} onClick={() => void navigate({ to: '/' })} />
}

interface KnownConversationProps extends Omit<ConversationViewProps, 'channelId'> {
  readonly summary: ChannelSummary
}

function KnownConversation({ summary, layout, about, now, handle }: KnownConversationProps) {
  const navigate = useNavigate()
  const { markRead } = useInboxChanges()
  const { id, patient, head } = summary
  const onRead = useCallback((seq: number) => markRead(id, seq), [markRead, id])
  const aside = layout === 'three'
  const showAbout = about && !aside
  const name = channelName(summary)
  const params = { channelId: id }

  const before = showAbout ? (
    <IconButton
      label={strings.patients.hideAbout}
      icon={ArrowLeft}
      onClick={() => void navigate({ to: '/c/$channelId', params, replace: true })}
    />
  ) : (
    <BackButton layout={layout} />
  )
  const after = aside ? null : (
    <IconButton
      label={showAbout ? strings.patients.hideAbout : strings.patients.showAbout}
      icon={Info}
      aria-pressed={showAbout}
      onClick={() =>
        void navigate({ to: showAbout ? '/c/$channelId' : '/c/$channelId/about', params, replace: showAbout })
      }
    />
  )
  const detail =
    summary.kind === 'direct'
      ? (summary.with[0]?.title ?? strings.inbox.kinds.direct)
      : strings.inbox.kinds[summary.kind]
  const banner =
    patient === null ? (
      <PlainBanner title={name} detail={detail} before={before} after={after} />
    ) : (
      <PatientBanner patient={patient} now={now} before={before} after={after} />
    )
  const context = (
    <div className={styles.context}>
      {patient !== null && <PatientDetails patient={patient} now={now} />}
      <MemberList
        channel={id}
        head={head}
        now={now}
        title={patient === null ? strings.members.people : strings.members.careTeam}
      />
    </div>
  )

  return (
    <>
      <div className={styles.conversation} hidden={showAbout}>
        <ConversationPane
          ref={handle}
          summary={summary}
          subject={name}
          banner={banner}
          visible={!showAbout}
          now={now}
          onRead={onRead}
        />
      </div>
      {showAbout && (
        <section className={styles.about} aria-label={strings.patients.about}>
          {banner}
          {context}
        </section>
      )}
      {aside && (
        <aside className={styles.about} aria-label={strings.patients.about}>
          {context}
        </aside>
      )}
    </>
  )
}
