import { useState } from 'react'

/** Copies a text; `copied` says that the clipboard has it. Where the browser refuses, it can still be marked and copied by hand. */
export function useCopied(text: string): { readonly copied: boolean; readonly copy: () => void } {
  const [copied, setCopied] = useState(false)
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    )
  }
  return { copied, copy }
}
