import { useEffect } from 'react'
import { strings } from '../strings.ts'

/** The title of the tab: the product and how much is new. Never whom it is about: titles are seen over shoulders. */
export function useTitle(unread: number): void {
  useEffect(() => {
    document.title = unread === 0 ? strings.words.product : `(${unread}) ${strings.words.product}`
    return () => {
      document.title = strings.words.product
    }
  }, [unread])
}
