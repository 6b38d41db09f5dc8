import type { AuditHistogram } from '@wardline/protocol'
import { type PointerEvent, useRef, useState } from 'react'
import { clock, shortDate } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { barsOf, type Selection, selectionOf, timesOf } from './brush.ts'
import type { AuditSearch } from './search.ts'
import styles from './time-brush.module.css'

const text = strings.audit.brush
const HEIGHT = 48
const counted = new Intl.NumberFormat()
const moment = (ms: number) => `${shortDate(ms)} ${clock(ms)}`

type Times = Pick<AuditSearch, 'from' | 'until'>

interface TimeBrushProps {
  readonly histogram: AuditHistogram
  /** What the list shows now. */
  readonly times: Times
  readonly onTimes: (times: Times) => void
}

/** How many events there were over time. A stretch is chosen with the pointer, or with the two sliders under it. */
export function TimeBrush({ histogram, times, onTimes }: TimeBrushProps) {
  const bars = barsOf(histogram)
  const count = bars.length
  const applied = selectionOf(histogram, count, times)
  const [drawn, setDrawn] = useState<Selection | null>(null)
  const anchor = useRef<number | null>(null)
  const [first, last] = drawn ?? applied
  const chosen = bars.slice(first, last + 1)
  const total = chosen.reduce((sum, bar) => sum + bar.total, 0)
  const refused = chosen.reduce((sum, bar) => sum + bar.refused, 0)
  const begin = bars[first]?.at ?? 0
  const end = (bars[last]?.at ?? 0) + histogram.stepMs
  const isAll = times.from === undefined && times.until === undefined

  const barAt = (event: PointerEvent<SVGSVGElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect()
    return Math.min(count - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * count)))
  }
  const apply = (selection: Selection) => {
    setDrawn(null)
    onTimes(timesOf(histogram, count, selection))
  }
  const slide = (which: 'first' | 'last') => (value: number) =>
    setDrawn(which === 'first' ? [Math.min(value, last), last] : [first, Math.max(value, first)])
  const finish = () => {
    if (drawn !== null) apply(drawn)
  }

  return (
    <section className={styles.brush} aria-label={text.label}>
      <div className={styles.caption}>
        <p>
          {text.selection(moment(begin), moment(end), counted.format(total))}
          {refused > 0 && <strong className={styles.refused}> {text.refused(counted.format(refused))}</strong>}
        </p>
        {!isAll && (
          <Button small kind="quiet" onClick={() => onTimes({})}>
            {text.all}
          </Button>
        )}
      </div>
      <svg
        className={styles.chart}
        viewBox={`0 0 ${count} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={text.chart(counted.format(total), counted.format(refused))}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          anchor.current = barAt(event)
          setDrawn([anchor.current, anchor.current])
        }}
        onPointerMove={(event) => {
          if (anchor.current === null) return
          const at = barAt(event)
          setDrawn([Math.min(anchor.current, at), Math.max(anchor.current, at)])
        }}
        onPointerUp={() => {
          anchor.current = null
          finish()
        }}
        onPointerCancel={() => {
          anchor.current = null
          setDrawn(null)
        }}
      >
        <rect className={styles.chosen} x={first} y={0} width={last - first + 1} height={HEIGHT} />
        {bars.map((bar, i) => (
          <g key={bar.at} data-out={i < first || i > last ? '' : undefined}>
            <rect
              className={styles.bar}
              x={i + 0.1}
              y={HEIGHT * (1 - bar.height)}
              width={0.8}
              height={HEIGHT * bar.height}
            />
            <rect
              className={styles.bad}
              x={i + 0.1}
              y={HEIGHT * (1 - bar.refusedHeight)}
              width={0.8}
              height={HEIGHT * bar.refusedHeight}
            />
          </g>
        ))}
      </svg>
      <div className={styles.sliders}>
        <Slider
          label={text.from}
          value={first}
          max={count - 1}
          says={moment(begin)}
          onSlide={slide('first')}
          onEnd={finish}
        />
        <Slider
          label={text.until}
          value={last}
          max={count - 1}
          says={moment(end)}
          onSlide={slide('last')}
          onEnd={finish}
        />
      </div>
    </section>
  )
}

interface SliderProps {
  readonly label: string
  readonly value: number
  readonly max: number
  /** The value in words. */
  readonly says: string
  readonly onSlide: (value: number) => void
  readonly onEnd: () => void
}

function Slider({ label, value, max, says, onSlide, onEnd }: SliderProps) {
  return (
    <input
      type="range"
      min={0}
      max={max}
      value={value}
      aria-label={label}
      aria-valuetext={says}
      onChange={(event) => onSlide(event.target.valueAsNumber)}
      onPointerUp={onEnd}
      onKeyUp={onEnd}
      onBlur={onEnd}
    />
  )
}
