import { WardlineError } from '@wardline/client'
import { CircleAlert, CloudOff, Lock, type LucideIcon, SearchX } from 'lucide-react'
import type { ReactNode } from 'react'
import { strings } from '../strings.ts'
import { Button } from './button.tsx'
import { Hidden } from './hidden.tsx'
import styles from './screen-state.module.css'

interface ScreenStateProps {
  readonly icon?: LucideIcon
  readonly title: string
  readonly more?: string
  readonly action?: ReactNode
  /** Failures are told to a screen reader at once. */
  readonly alert?: boolean
  /** Whether it is all there is on the page. */
  readonly main?: boolean
}

/** What stands where content would: nothing yet, nothing found, not allowed, failed. */
export function ScreenState({ icon: Icon, title, more, action, alert = false, main = false }: ScreenStateProps) {
  return (
    <div className={styles.state} role={alert ? 'alert' : undefined}>
      {Icon !== undefined && <Icon aria-hidden size={26} strokeWidth={1.6} className={styles.icon} />}
      {main ? <h1 className={styles.title}>{title}</h1> : <p className={styles.title}>{title}</p>}
      {more !== undefined && <p className={styles.more}>{more}</p>}
      {action !== undefined && <div className={styles.action}>{action}</div>}
    </div>
  )
}

interface FailureText {
  readonly icon: LucideIcon
  readonly title: string
  readonly more?: string
  readonly retry: boolean
}

/** What a refusal is to a person: its cause in plain words, and whether trying again can help. */
export function failureText(error: unknown): FailureText {
  const { errors } = strings.words
  const code = error instanceof WardlineError ? error.code : 'internal'
  switch (code) {
    case 'forbidden':
      return { icon: Lock, title: errors.forbidden, more: errors.forbiddenMore, retry: false }
    case 'not-found':
      return { icon: SearchX, title: errors.notFound, more: errors.notFoundMore, retry: false }
    case 'unavailable':
      return { icon: CloudOff, title: errors.unreachable, retry: true }
    case 'rate-limited':
      return { icon: CircleAlert, title: errors.rateLimited, retry: true }
    default:
      return { icon: CircleAlert, title: errors.failed, more: errors.failedMore, retry: true }
  }
}

/** A refusal or a failure in place of content. */
export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const { icon, title, more, retry } = failureText(error)
  return (
    <ScreenState
      alert
      icon={icon}
      title={title}
      {...(more === undefined ? {} : { more })}
      {...(retry && onRetry !== undefined ? { action: <Button onClick={onRetry}>{strings.words.retry}</Button> } : {})}
    />
  )
}

/** Lines where content will be. Still, and said once: nobody needs a spinner at night. */
export function Loading({
  lines = 6,
  label = strings.words.loading,
}: {
  readonly lines?: number
  readonly label?: string
}) {
  return (
    <div className={styles.loading} role="status">
      <Hidden>{label}</Hidden>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} className={styles.line} aria-hidden />
      ))}
    </div>
  )
}
