import type { AlertKind } from '@wardline/protocol'

/** What an alert means, and what to do, step by step; docs/alerts.md says more under the same names. */
export interface Runbook {
  readonly means: string
  readonly steps: readonly string[]
}

const END_SESSIONS = 'End all sessions of the person, and have the password changed.'
const ASK = 'Ask the person, by telephone and not by message, whether it was they.'

export const runbooks: Readonly<Record<AlertKind, Runbook>> = {
  'refused-access': {
    means: 'Somebody asked ten times in five minutes for what they may not see. Each time they were refused.',
    steps: [
      'Look at what they asked for: one unit is a missing care-team assignment, many patients are curiosity or a script.',
      ASK,
      'Not they: end all sessions of the person, and disable the account until it is clear.',
    ],
  },
  'token-failures': {
    means: 'Twenty tokens or proofs in five minutes were not good: a broken client, or somebody who tries forged ones.',
    steps: [
      'A known address and one person: have the browser reloaded, and its clock looked at.',
      'An unknown address: block it at the firewall; nothing was let in.',
    ],
  },
  'proof-replay': {
    means:
      'A proof that is good once was shown again. Somebody has copied a request on its way, or a proxy repeats them.',
    steps: [
      'Compare the addresses of the events: the same as ever is a proxy that retries; have it stopped.',
      'Another address: treat the device as taken over. End all sessions of the person.',
    ],
  },
  'stolen-token': {
    means:
      'A good token was shown with the key of another device. It was refused; but somebody has carried the token off.',
    steps: [
      END_SESSIONS,
      'Have the device examined where the token was issued (extensions, malware, shared accounts).',
      'Look in the audit at what that session did in the hour before.',
    ],
  },
  'refresh-reuse': {
    means: 'A sign-in cookie that had been exchanged came back: there are two copies. The session was ended at once.',
    steps: [
      'Ask whether the browser was restored from a backup or cloned: then it is harmless.',
      `Otherwise: ${END_SESSIONS.charAt(0).toLowerCase()}${END_SESSIONS.slice(1)}`,
      'Look in the audit at what both addresses did.',
    ],
  },
  'sign-in-guessing': {
    means: 'Many wrong passwords, for one account or from one address.',
    steps: [
      'One account: ask its owner; have a second factor enrolled.',
      'One address, many accounts: block it at the firewall. Sign-ins are slowed down already.',
      'Look for a sign-in that was allowed from the same address.',
    ],
  },
  'factor-guessing': {
    means: 'Five wrong codes: whoever it is already knows the password.',
    steps: [ASK, 'Not they: set another password at once, and end all sessions.'],
  },
  'authenticator-clone': {
    means: 'A security key counted backwards: there may be two of it. The sign-in was refused.',
    steps: ['Remove that key from the account.', 'Have the person enrol another, in your presence.', END_SESSIONS],
  },
  limits: {
    means: 'A hundred requests in five minutes beyond what is allowed: a script, or a client that has run wild.',
    steps: ['Ask what runs there.', 'Unknown: end the sessions, or block the address. Others are not slowed down.'],
  },
  'unusual-volume': {
    means: 'Three times as many patients in an hour as this person ever looks at; of somebody new, eighty.',
    steps: [
      'Look at which patients: their own unit at a handover is plausible, a list in order is not.',
      ASK,
      'Not plausible: end all sessions, secure the audit export, tell the privacy officer.',
    ],
  },
  'off-hours': {
    means: 'Somebody was active at an hour at which they never are, or administered outside of working hours.',
    steps: ['Compare with the duty roster.', ASK, 'Not they: end all sessions, and undo what was administered.'],
  },
  'emergency-access': {
    means: 'Somebody opened a record by emergency access. It is allowed, and somebody else has to look at it.',
    steps: [
      'Read the reason and what was done under it.',
      'Decide on it in the queue of emergency access: not the person who used it.',
    ],
  },
  'set-up-link': {
    means:
      'Somebody made a link that sets a new password, for a person who has signed in here. Whoever opens it has the account.',
    steps: [
      'Ask the person the link is for, by telephone and not by message, whether they wanted it and have it.',
      'They did not: make them another, which makes the first worthless; look in the audit whether it was used (password.set-up).',
      'Then whoever made it has to answer for it, or their account was taken over: end their sessions, too.',
    ],
  },
  'privileged-set-up-link': {
    means:
      'Somebody made a link that sets a new password for a person who administers or oversees. Reason factor-changed: it takes their second factors as well.',
    steps: [
      'Ask the person the link is for, by telephone and at once. Nobody known as its maker: it was made at the machine of the server.',
      'They did not want it: disable their account, which makes the link worthless, and end the sessions of who made it.',
      'Look in the audit whether it was used (password.set-up), and at all that account has done since.',
    ],
  },
  'factor-reset': {
    means:
      'Somebody took another person’s second factors away. Whoever knows that person’s password can now sign in by it alone.',
    steps: [
      'Ask the person whose they were, by telephone and not by message, whether they lost theirs and asked for it. Where the alert names nobody who did it, it was done on the server itself.',
      'They did not: disable their account until it is clear, and look in the audit for sign-ins since (auth.login).',
      'Then whoever did it has to answer for it, or their account was taken over: end their sessions, too.',
      'They did: have them enrol new factors today.',
    ],
  },
  'tampered-message': {
    means:
      'A stored message does not open any more: its bytes were changed in the database, by whoever can write there.',
    steps: [
      'Change nothing. Copy the database and the audit log first.',
      'Run wardline audit verify --database.',
      'Change the passwords of the database, and find out who had them.',
    ],
  },
  'audit-gap': {
    means: 'Records were taken out of the database before they were in the log. The log says how many.',
    steps: [
      'Copy the database, the folder of the log and that of the keys first.',
      'Run wardline audit verify --database, and keep its output.',
      'Change the passwords of the database, and find out who had them.',
    ],
  },
  'audit-stalled': {
    means:
      'What happens is not getting its place in the audit log. Nothing is lost; until it goes on, no other alert rings.',
    steps: [
      'See whether a sequencer runs, and whether the disk of the log is full.',
      'Look for audit-log.refused or audit-log.failing in the log of the server.',
      'Refused: do as docs/audit.md says, and do not delete anything.',
    ],
  },
}
