import { account } from './strings/account.ts'
import { accounts } from './strings/accounts.ts'
import { alerts } from './strings/alerts.ts'
import { audit } from './strings/audit.ts'
import { directory, inbox } from './strings/inbox.ts'
import { lock } from './strings/lock.ts'
import { messages } from './strings/messages.ts'
import { members, patients } from './strings/people.ts'
import { permissions } from './strings/permissions.ts'
import { session } from './strings/session.ts'
import { policy, sessions } from './strings/sessions.ts'
import { shell } from './strings/shell.ts'
import { words } from './strings/words.ts'

/** Every text that a person reads, in one place: to translate Wardline is to give another of these. */
export const strings = {
  words,
  session,
  shell,
  inbox,
  directory,
  messages,
  patients,
  members,
  audit,
  alerts,
  account,
  lock,
  sessions,
  policy,
  accounts,
  permissions,
} as const
