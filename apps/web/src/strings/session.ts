export const session = {
  title: 'Sign in',
  lead: 'Clinical messaging for your organisation',
  organisation: 'Organisation',
  organisationHint: 'The short name, e.g. riverside',
  username: 'User name',
  password: 'Password',
  showPassword: 'Show password',
  hidePassword: 'Hide password',
  signIn: 'Sign in',
  signingIn: 'Signing in…',
  opening: 'Opening your session…',
  capsLock: 'Caps Lock is on.',
  missing: { tenant: 'Enter your organisation.', username: 'Enter your user name.', password: 'Enter your password.' },
  malformedTenant: 'An organisation’s short name has letters, digits and hyphens only.',
  failed: {
    credentials: 'Organisation, user name and password do not go together. Check all three and try again.',
    slowDown: (seconds: number) => `Too many attempts. Try again in ${seconds} s.`,
    slowDownSoon: 'Too many attempts. Wait a minute, then try again.',
    unreachable: 'The server cannot be reached. Check the network and try again.',
    other: 'Sign-in failed on our side. Try again in a moment.',
    secondFactor:
      'This account needs a second factor, which this version of the page cannot ask for yet. Reload and try again.',
  },
  demo: 'DEMO',
  demoLabel: 'Demonstration',
  demoLine: 'Invented patients only. Never enter real ones.',
  demoAccounts: 'Demo accounts were printed where the server was started.',
  ended: {
    'signed-out': 'You are signed out. Nothing of yours is left on this device.',
    elsewhere: 'You signed out in another tab, so this one is closed too.',
    expired: 'Your session has ended. Sign in again: what you were writing is kept on this device, encrypted.',
    revoked:
      'This session was ended by an administrator or from another device. If that surprises you, tell your security team.',
    'other-user': 'Somebody else signed in in another tab of this browser, so this tab is closed.',
  },
  signOutUnreached:
    'You are signed out here. The server could not be told; it ends the session by itself when it expires.',
  unreachable: {
    title: 'The server cannot be reached',
    more: 'Your session is still there. Wardline goes on as soon as the network is back.',
  },
} as const
