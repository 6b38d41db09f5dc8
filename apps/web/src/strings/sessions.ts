const BROWSERS: Readonly<Record<string, string>> = {
  chrome: 'Chrome',
  edge: 'Edge',
  firefox: 'Firefox',
  safari: 'Safari',
  other: 'A program',
}
const SYSTEMS: Readonly<Record<string, string>> = {
  android: 'Android',
  ios: 'iOS',
  windows: 'Windows',
  macos: 'macOS',
  linux: 'Linux',
  other: 'another system',
}

export const sessions = {
  title: 'Where you are signed in',
  open: 'Where you are signed in…',
  agent: (agent: string | null) => {
    const [browser = 'other', system = 'other'] = (agent ?? '').split('/')
    return `${BROWSERS[browser] ?? BROWSERS['other']} on ${SYSTEMS[system] ?? SYSTEMS['other']}`
  },
  here: 'This one',
  locked: 'Locked',
  active: (time: string) => `Last active ${time}`,
  since: (time: string) => `Signed in ${time}`,
  from: (address: string) => `from ${address}`,
  end: 'End',
  endLabel: (agent: string) => `End the sign-in of ${agent}`,
  revoke: 'End it, and trust this device no more',
  endOthers: 'End all others',
  endOthersHint: 'If you do not know one of them, end it and change your password.',
  none: 'You are signed in here alone.',
  ended: 'Ended. Nothing more is delivered there.',
} as const

export const policy = {
  title: 'Sign-in settings',
  lead: 'What your organisation decides about sign-ins. In force at once, for everybody, on every server; each change is in the audit.',
  nav: 'Settings',
  save: 'Save',
  saved: 'Saved, and in force.',
  unchanged: 'Nothing was changed.',
  outOfBounds: 'This is out of bounds.',
  idle: 'Lock after, in minutes without a sign of the person',
  idleHint: '1 to 60. The warning comes before.',
  warning: 'Warn before, in seconds',
  warningHint: '15 to 300, at most half of the time above.',
  session: 'Longest sign-in, in hours',
  sessionHint: '1 to 24, whatever its person does.',
  token: 'Life of an access token, in seconds',
  tokenHint: '20 to 300. Renewed by itself.',
  stepUp: 'A proof of who one is serves for, in minutes',
  stepUpHint: '1 to 1440, for roles, exports, keys, settings and others’ sessions.',
  risk: 'What follows a change of risk',
  risks: {
    onNetworkChange: 'The session is used from another network',
    onAgentChange: 'The session is used by another kind of browser',
    onPasswordChange: 'Its person has set another password',
    onRoleChange: 'Its person’s roles have changed',
  },
  answers: {
    ignore: 'Nothing',
    renew: 'A new token',
    'step-up': 'Locked until they show who they are',
    end: 'The session ends',
  },
} as const
