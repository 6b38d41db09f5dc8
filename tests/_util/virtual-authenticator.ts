import type { Page } from '@playwright/test'

/** Chromium's own authenticator, in software (CDP, domain WebAuthn): as a phone or laptop has one built in. */
export type VirtualAuthenticator = {
  /** Whether somebody puts a finger on it whenever it asks from now on. */
  touch(on: boolean): Promise<void>
  /** Whether it is the right finger. */
  recognise(on: boolean): Promise<void>
  /** How often this page has asked it for a passkey. */
  asked(): Promise<number>
  /** How many passkeys it holds. */
  count(): Promise<number>
}

declare global {
  interface Window {
    passkeysAsked?: number
  }
}

/** In the page: counts what it asks for. */
function count(): void {
  if (window.passkeysAsked !== undefined) return
  window.passkeysAsked = 0
  const { credentials } = navigator
  const get = credentials.get.bind(credentials)
  credentials.get = (options) => {
    const answer = get(options)
    window.passkeysAsked = (window.passkeysAsked ?? 0) + 1
    return answer
  }
}

/** Gives a page an authenticator that keeps passkeys and recognises its person. */
export async function addAuthenticator(page: Page): Promise<VirtualAuthenticator> {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable', { enableUI: false })
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  await page.addInitScript(count)
  await page.evaluate(count)
  return {
    asked: () => page.evaluate(() => window.passkeysAsked ?? 0),
    touch: async (enabled) =>
      void (await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled })),
    recognise: async (isUserVerified) =>
      void (await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified })),
    count: async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length,
  }
}
