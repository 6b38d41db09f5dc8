import { Link, useNavigate } from '@tanstack/react-router'
import type { AuditReview, AuditReviews } from '@wardline/protocol'
import { ClipboardCheck } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import { clock, shortDate } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { Failure, Loading, ScreenState } from '../ui/screen-state.tsx'
import { useAbility } from '../wardline/context.tsx'
import { useOpenReview, useReviews, useSignReview } from './api.ts'
import { PageHead } from './page-head.tsx'
import styles from './reviews-screen.module.css'
import { localInput } from './search.ts'

const text = strings.audit.reviews
const counted = new Intl.NumberFormat()
const moment = (at: string) => `${shortDate(at)} ${clock(at)}`
const MONTH_MS = 30 * 86_400_000

/** The periodic reviews: who looked through which time, what they found, and that they signed. */
export function ReviewsScreen() {
  const reviews = useReviews()
  const mayReview = useAbility('audit.review')
  return (
    <div className={styles.screen}>
      <PageHead title={text.title} lead={text.lead} />
      {reviews.isPending ? (
        <Loading lines={4} />
      ) : reviews.isError ? (
        <Failure error={reviews.error} onRetry={() => void reviews.refetch()} />
      ) : (
        <>
          {reviews.data.due !== null && (
            <p className={styles.due} role="status">
              {text.due(moment(reviews.data.due.since))}
            </p>
          )}
          {mayReview && <OpenForm due={reviews.data.due} />}
          {reviews.data.items.length === 0 ? (
            <ScreenState icon={ClipboardCheck} title={text.none} />
          ) : (
            <ul className={styles.list}>
              {reviews.data.items.map((review) => (
                <ReviewCard key={review.id} review={review} mayReview={mayReview} />
              ))}
            </ul>
          )}
        </>
      )}
    </div>
  )
}

/** A period that is over: from where the last review ended, else the last month. */
function OpenForm({ due }: { readonly due: AuditReviews['due'] }) {
  const navigate = useNavigate()
  const [from, setFrom] = useState(() =>
    localInput(due?.from ?? new Date(Date.now() - MONTH_MS).toISOString(), 'seconds'),
  )
  const [until, setUntil] = useState(() => localInput(new Date().toISOString(), 'seconds'))
  const open = useOpenReview((review) => void navigate({ to: '/audit', search: searchOf(review) }))
  const isPeriod = from !== '' && until !== '' && from < until
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (isPeriod) open.mutate({ from: new Date(from).toISOString(), until: new Date(until).toISOString() })
  }
  return (
    <form className={styles.open} aria-label={text.open} onSubmit={submit}>
      <TextField
        compact
        type="datetime-local"
        step={1}
        label={strings.audit.filters.from}
        value={from}
        onChange={(event) => setFrom(event.target.value)}
      />
      <TextField
        compact
        type="datetime-local"
        step={1}
        label={strings.audit.filters.until}
        value={until}
        onChange={(event) => setUntil(event.target.value)}
      />
      <Button type="submit" kind="primary" disabled={!isPeriod || open.isPending}>
        {text.open}
      </Button>
      {open.isError && <Failure error={open.error} />}
    </form>
  )
}

function ReviewCard({ review, mayReview }: { readonly review: AuditReview; readonly mayReview: boolean }) {
  const [signing, setSigning] = useState(false)
  const { openedBy, openedAt, signedBy, signedAt, events, size, marks, followUps } = review
  const isOpen = signedBy === null
  return (
    <li className={styles.card} data-open={isOpen ? '' : undefined}>
      <h2>{text.period(moment(review.from), moment(review.until))}</h2>
      <p>{text.opened(openedBy.displayName ?? openedBy.id, moment(openedAt))}</p>
      <p>{text.marks(marks, followUps)}</p>
      {signedBy !== null && signedAt !== null && (
        <p className={styles.signed}>
          {text.signed(
            signedBy.displayName ?? signedBy.id,
            moment(signedAt),
            counted.format(events ?? 0),
            counted.format(size ?? 0),
          )}
        </p>
      )}
      <div className={styles.actions}>
        <Link to="/audit" search={isOpen && mayReview ? searchOf(review) : { from: review.from, until: review.until }}>
          {isOpen && mayReview ? text.look : text.show}
        </Link>
        {isOpen && mayReview && (
          <Button small kind="primary" onClick={() => setSigning(true)}>
            {text.sign}
          </Button>
        )}
      </div>
      {signing && <SignDialog review={review} onClose={() => setSigning(false)} />}
    </li>
  )
}

function SignDialog({ review, onClose }: { readonly review: AuditReview; readonly onClose: () => void }) {
  const sign = useSignReview()
  return (
    <Dialog
      title={text.sign}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{strings.words.cancel}</Button>
          <Button
            kind="primary"
            disabled={sign.isPending}
            onClick={() => sign.mutate(review.id, { onSuccess: onClose })}
          >
            {text.sign}
          </Button>
        </>
      }
    >
      <p>{text.signAsk(moment(review.from), moment(review.until))}</p>
      <p>{text.marks(review.marks, review.followUps)}</p>
      {sign.isError && <Failure error={sign.error} />}
    </Dialog>
  )
}

function searchOf({ id, from, until }: AuditReview) {
  return { review: id, from, until }
}
