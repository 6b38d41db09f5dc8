import { TriangleAlert } from 'lucide-react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { ScreenState } from '../ui/screen-state.tsx'

/** In place of a screen that threw: what happened to the person’s work, and a way on. Never a stack. */
export function Crashed() {
  return (
    <ScreenState
      main
      alert
      icon={TriangleAlert}
      title={strings.shell.crashed}
      more={strings.shell.crashedMore}
      action={<Button onClick={() => location.reload()}>{strings.shell.reload}</Button>}
    />
  )
}

export function NotFound() {
  return <ScreenState main title={strings.shell.notFound} />
}
