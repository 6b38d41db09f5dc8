import { WardlineError } from '@wardline/client'
import { Download } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { failureText } from '../ui/screen-state.tsx'
import { Segmented } from '../ui/segmented.tsx'
import { useWardline } from '../wardline/context.tsx'
import styles from './export-dialog.module.css'
import { type AuditSearch, filterOf } from './search.ts'

const text = strings.audit.export
const counted = new Intl.NumberFormat()
const FORMATS = ['csv', 'ndjson', 'fhir'] as const
type Format = (typeof FORMATS)[number]
const FILES: Readonly<Record<Format, string>> = { csv: 'audit.csv', ndjson: 'audit.ndjson', fhir: 'audit.fhir.ndjson' }

type Progress =
  | { readonly is: 'idle' }
  | { readonly is: 'under-way' | 'done'; readonly events: number }
  | { readonly is: 'failed'; readonly error: unknown }

/** All events that match, as a file. It asks who it is once more where that is too long ago; that it was done is in the audit. */
export function ExportDialog({ search, onClose }: { readonly search: AuditSearch; readonly onClose: () => void }) {
  const { api } = useWardline()
  const [format, setFormat] = useState<Format>('csv')
  const [progress, setProgress] = useState<Progress>({ is: 'idle' })
  const giveUp = useRef<AbortController | null>(null)
  useEffect(() => () => giveUp.current?.abort(), [])

  const run = async () => {
    const pieces: string[] = []
    // The first line of CSV is its head.
    let events = format === 'csv' ? -1 : 0
    giveUp.current = new AbortController()
    setProgress({ is: 'under-way', events: 0 })
    const take = (piece: string) => {
      pieces.push(piece)
      events += piece.split('\n').length - 1
      setProgress({ is: 'under-way', events: Math.max(0, events) })
    }
    try {
      await api.admin.exportAudit({ ...filterOf(search), format }, take, giveUp.current.signal)
      save(new Blob(pieces, { type: 'application/octet-stream' }), FILES[format])
      setProgress({ is: 'done', events: Math.max(0, events) })
    } catch (error) {
      setProgress({ is: 'failed', error })
    }
  }
  const isBusy = progress.is === 'under-way'

  return (
    <Dialog
      title={text.title}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{isBusy ? text.stop : strings.words.close}</Button>
          <Button kind="primary" icon={Download} disabled={isBusy} onClick={() => void run()}>
            {text.run}
          </Button>
        </>
      }
    >
      <div className={styles.body}>
        <p>{Object.keys(filterOf(search)).length > 0 ? text.filtered : text.everything}</p>
        <Segmented
          showLabel
          label={text.format}
          value={format}
          segments={FORMATS.map((value) => ({ value, text: text.formats[value] }))}
          onChange={setFormat}
        />
        <p className={styles.hint}>{text.hints[format]}</p>
        <p role="status" className={styles.progress} data-is={progress.is}>
          {progressText(progress)}
        </p>
      </div>
    </Dialog>
  )
}

function progressText(progress: Progress): string {
  switch (progress.is) {
    case 'idle':
      return text.audited
    case 'under-way':
      return text.underWay(counted.format(progress.events))
    case 'done':
      return text.done(counted.format(progress.events))
    case 'failed':
      return progress.error instanceof WardlineError && progress.error.code === 'step-up-required'
        ? text.notProved
        : text.failed(failureText(progress.error).title)
  }
}

/** Hands a file to the browser's own downloads. */
function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The download has begun when the click returns; the browser keeps what it needs.
  URL.revokeObjectURL(url)
}
