import { useNavigate } from '@tanstack/react-router'
import { birthDate } from '../format/patient.ts'
import { useInboxHeld } from '../inbox/api.ts'
import { channelName } from '../inbox/sections.ts'
import { useSettings } from '../settings/settings.tsx'
import { strings } from '../strings.ts'
import { useAbility, useWardline } from '../wardline/context.tsx'
import type { PaletteEntry } from './palette-entries.ts'

const { nav, palette: text } = strings.shell

interface Doors {
  readonly onAccount: () => void
  readonly onShortcuts: () => void
  readonly onSessions: () => void
}

/** Everything that this person may go to and do, the conversations first. */
export function usePalette({ onAccount, onShortcuts, onSessions }: Doors): readonly PaletteEntry[] {
  const navigate = useNavigate()
  const wardline = useWardline()
  const { change } = useSettings()
  const channels = useInboxHeld()
  const may = {
    talk: useAbility('channel.read'),
    audit: useAbility('audit.read'),
    review: useAbility('audit.review'),
    alerts: useAbility('alert.read'),
    people: useAbility('user.read'),
    roles: useAbility('role.read'),
    careTeams: useAbility('care-team.read'),
    sessions: useAbility('session.read'),
    connections: useAbility('connection.read'),
    settings: useAbility('settings.manage'),
  }
  const go = (shown: boolean, name: string, run: () => void): PaletteEntry[] =>
    shown ? [{ key: `go ${name}`, kind: 'go', text: name, detail: '', run }] : []
  const act = (name: string, run: () => void): PaletteEntry => ({
    key: `act ${name}`,
    kind: 'act',
    text: name,
    detail: '',
    run,
  })
  return [
    ...channels.map((channel): PaletteEntry => {
      const { id, patient } = channel
      const detail =
        patient === null
          ? strings.inbox.kinds[channel.kind]
          : `${birthDate(patient.birthDate) ?? ''} ${strings.patients.mrn} ${patient.mrn}`
      const run = () => void navigate({ to: '/c/$channelId', params: { channelId: id } })
      return { key: id, kind: 'talk', text: channelName(channel), detail, run }
    }),
    ...go(may.talk, nav.inbox, () => void navigate({ to: '/' })),
    ...go(may.audit, nav.audit, () => void navigate({ to: '/audit', search: {} })),
    ...go(may.review, nav.reviews, () => void navigate({ to: '/audit/reviews' })),
    ...go(may.alerts, nav.alerts, () => void navigate({ to: '/alerts', search: {} })),
    ...go(may.people, nav.people, () => void navigate({ to: '/people' })),
    ...go(may.roles, nav.roles, () => void navigate({ to: '/people/roles' })),
    ...go(may.careTeams, nav.careTeams, () => void navigate({ to: '/people/care-teams', search: {} })),
    ...go(may.sessions, nav.sessions, () => void navigate({ to: '/people/sign-ins', search: {} })),
    ...go(may.connections, nav.connections, () => void navigate({ to: '/people/connections', search: {} })),
    ...go(may.settings, strings.policy.nav, () => void navigate({ to: '/settings' })),
    act(text.lock, () => void wardline.lock()),
    act(text.you, onAccount),
    act(text.signIns, onSessions),
    act(text.keys, onShortcuts),
    act(text.dark, () => change({ theme: 'dark' })),
    act(text.light, () => change({ theme: 'light' })),
  ]
}
