import { strings } from '../strings.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Failure, Loading } from '../ui/screen-state.tsx'
import { useAbility } from '../wardline/context.tsx'
import { useAlertSettings, useWebhook } from './api.ts'
import { HoursForm } from './hours-form.tsx'
import styles from './telling-dialog.module.css'
import { WebhookForm } from './webhook-form.tsx'

const text = strings.alerts.settings

/** Where alerts are sent, what became of them, and when administrators work. */
export function TellingDialog({ onClose }: { readonly onClose: () => void }) {
  const webhook = useWebhook()
  return (
    <Dialog wide title={text.title} onClose={onClose}>
      <section className={styles.section} aria-label={text.webhook}>
        <h3>{text.webhook}</h3>
        {webhook.shown.isPending ? (
          <Loading lines={3} />
        ) : webhook.shown.isError ? (
          <Failure error={webhook.shown.error} onRetry={() => void webhook.shown.refetch()} />
        ) : (
          <WebhookForm key={webhook.shown.data.url} webhook={webhook} shown={webhook.shown.data} />
        )}
      </section>
      {useAbility('settings.read') && <Hours />}
    </Dialog>
  )
}

function Hours() {
  const settings = useAlertSettings()
  return (
    <section className={styles.section} aria-label={text.hours}>
      <h3>{text.hours}</h3>
      {settings.shown.isPending ? (
        <Loading lines={1} />
      ) : settings.shown.isError ? (
        <Failure error={settings.shown.error} onRetry={() => void settings.shown.refetch()} />
      ) : (
        <HoursForm hours={settings.shown.data.workingHours} change={settings.change} />
      )}
    </section>
  )
}
