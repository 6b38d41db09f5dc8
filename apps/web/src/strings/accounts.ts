import { counted } from './words.ts'

export const accounts = {
  title: 'People and roles',
  roles: {
    title: 'Roles',
    lead: 'Where a role needs a second factor, whoever holds it and has none can do nothing but set one up, from now on.',
    needs: 'Needs a second factor',
    label: (role: string) => `Needs a second factor: ${role}`,
    permissions: (count: number) => counted(count, 'permission', 'permissions'),
  },
  people: {
    title: 'People',
    lead: 'Who has lost phone, security key and recovery codes gets in again by the password alone, until a new second factor is set up.',
    name: 'Name',
    roles: 'Roles',
    none: 'no role',
    disabled: 'Disabled',
    service: 'Program',
    more: 'Show more',
    reset: 'Reset second factors',
    resetLabel: (name: string) => `Reset second factors: ${name}`,
    resetTitle: (name: string) => `Reset the second factors of ${name}?`,
    resetMore:
      'Their passkeys, authenticator app and recovery codes open nothing any more, and they are signed out everywhere. Be sure that it is they who ask: call them back.',
    resetSure: 'Reset',
    resetDone: (name: string) => `${name} has no second factor any more, and is signed out everywhere.`,
  },
} as const
