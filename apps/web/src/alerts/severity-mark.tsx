import type { AlertSeverity } from '@wardline/protocol'
import { CircleAlert, Info, OctagonAlert, TriangleAlert } from 'lucide-react'
import { strings } from '../strings.ts'
import styles from './severity-mark.module.css'

const ICONS = { low: Info, medium: CircleAlert, high: TriangleAlert, critical: OctagonAlert } as const

/** What an alert weighs: shape and word together, and a colour besides. */
export function SeverityMark({ severity }: { readonly severity: AlertSeverity }) {
  const Icon = ICONS[severity]
  return (
    <span className={styles.mark} data-severity={severity}>
      <Icon aria-hidden size={15} strokeWidth={2.3} />
      {strings.alerts.severities[severity]}
    </span>
  )
}
