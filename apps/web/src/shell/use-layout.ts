import { useSyncExternalStore } from 'react'

/** How many panes fit beside each other. The same breakpoints as shell.module.css. */
export type Layout = 'one' | 'two' | 'three'

const TWO = '(min-width: 48rem)'
const THREE = '(min-width: 76rem)'

function read(): Layout {
  if (matchMedia(THREE).matches) return 'three'
  return matchMedia(TWO).matches ? 'two' : 'one'
}

function subscribe(run: () => void): () => void {
  const queries = [matchMedia(TWO), matchMedia(THREE)]
  for (const query of queries) query.addEventListener('change', run)
  return () => {
    for (const query of queries) query.removeEventListener('change', run)
  }
}

export function useLayout(): Layout {
  return useSyncExternalStore(subscribe, read)
}
