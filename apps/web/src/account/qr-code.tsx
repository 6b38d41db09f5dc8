import { encode } from 'uqr'
import styles from './account.module.css'

/** Modules of empty space around it (ISO/IEC 18004). */
const QUIET = 4

/** A QR code, drawn here: what it holds goes to nobody. */
export function QrCode({ value, label }: { readonly value: string; readonly label: string }) {
  const { size, data } = encode(value, { border: 0, ecc: 'M' })
  const path = data
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : '')))
    .join('')
  const side = size + 2 * QUIET
  return (
    <svg
      viewBox={`0 0 ${side} ${side}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
      className={styles.qr}
    >
      <rect width={side} height={side} />
      <path d={path} />
    </svg>
  )
}
