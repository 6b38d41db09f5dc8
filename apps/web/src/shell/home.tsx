import { Link } from '@tanstack/react-router'
import { MessageSquareOff, UserX } from 'lucide-react'
import { strings } from '../strings.ts'
import { ScreenState } from '../ui/screen-state.tsx'
import { useAbility } from '../wardline/context.tsx'

const text = strings.shell.home

/** The start for somebody who reads no messages: what their role is for instead. */
export function PlainHome() {
  const auditor = useAbility('audit.read')
  return auditor ? (
    <ScreenState
      main
      icon={MessageSquareOff}
      title={text.adminTitle}
      more={text.adminMore}
      action={<Link to="/audit">{text.toAudit}</Link>}
    />
  ) : (
    <ScreenState main icon={UserX} title={text.nothingTitle} more={text.nothingMore} />
  )
}
