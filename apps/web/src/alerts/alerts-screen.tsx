import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { BellRing, ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Failure, Loading, ScreenState } from '../ui/screen-state.tsx'
import { Segmented } from '../ui/segmented.tsx'
import { useAbility } from '../wardline/context.tsx'
import { AlertDetailPane } from './alert-detail.tsx'
import { AlertList } from './alert-list.tsx'
import styles from './alerts-screen.module.css'
import { type AlertsShown, useAlerts } from './api.ts'
import { TellingDialog } from './telling-dialog.tsx'

const text = strings.alerts
const SHOWN = [
  { value: 'active', text: text.states.active },
  { value: 'closed', text: text.states.closed },
] as const

/** What the rules have found: the list, and beside it the one that is looked at; on a phone one of the two. */
export function AlertsScreen() {
  const { alertId } = useParams({ strict: false })
  const { state } = useSearch({ strict: false })
  const shown: AlertsShown = state === 'closed' ? 'closed' : 'active'
  const navigate = useNavigate()
  const integrates = useAbility('integration.read')
  const [telling, setTelling] = useState(false)
  const show = (state: AlertsShown) =>
    void navigate({ to: '/alerts', search: state === 'closed' ? { state: 'closed' } : {} })
  return (
    <div className={styles.screen} data-chosen={alertId === undefined ? undefined : ''}>
      {/* Where the list is out of sight, its title with it. */}
      <h1 className={styles.instead}>{text.title}</h1>
      <div className={styles.side}>
        <header className={styles.header}>
          <div className={styles.title}>
            <h1>{text.title}</h1>
            {integrates && (
              <Button small icon={BellRing} aria-haspopup="dialog" onClick={() => setTelling(true)}>
                {text.settings.open}
              </Button>
            )}
          </div>
          <p className={styles.lead}>{text.lead}</p>
          <Segmented label={text.states.label} value={shown} segments={SHOWN} onChange={show} />
        </header>
        <Found shown={shown} chosen={alertId} />
      </div>
      <div className={styles.main}>
        {alertId === undefined ? (
          <ScreenState icon={ShieldCheck} title={text.pick} />
        ) : (
          <AlertDetailPane key={alertId} id={alertId} closed={shown === 'closed'} />
        )}
      </div>
      {telling && <TellingDialog onClose={() => setTelling(false)} />}
    </div>
  )
}

function Found({ shown, chosen }: { readonly shown: AlertsShown; readonly chosen: string | undefined }) {
  const alerts = useAlerts(shown)
  const closed = shown === 'closed'
  const rows = alerts.data?.pages.flatMap((page) => page.items) ?? []
  if (alerts.isPending) return <Loading lines={6} />
  if (alerts.isError) return <Failure error={alerts.error} onRetry={() => void alerts.refetch()} />
  if (rows.length === 0) {
    return closed ? (
      <ScreenState title={text.emptyClosed} />
    ) : (
      <ScreenState icon={ShieldCheck} title={text.empty} more={text.emptyMore} />
    )
  }
  return (
    <>
      <AlertList alerts={rows} chosen={chosen} closed={closed} />
      {alerts.hasNextPage && (
        <div className={styles.more}>
          <Button disabled={alerts.isFetchingNextPage} onClick={() => void alerts.fetchNextPage()}>
            {text.more}
          </Button>
        </div>
      )}
    </>
  )
}
