import {
  browserSupportsWebAuthn,
  browserSupportsWebAuthnAutofill,
  startAuthentication,
  startRegistration,
  WebAuthnAbortService,
} from '@simplewebauthn/browser'
import {
  type PasskeyAssertion,
  type PasskeyAttestation,
  type PasskeyCreation,
  type PasskeyRequest,
  type PasskeyTransport,
  passkeyTransport,
} from '@wardline/protocol'

/** As the screens of authenticators call this server. */
const RP_NAME = 'Wardline'

/** Whether this page can use passkeys at all: the browser knows them, and the site is called by a name. */
export function passkeysWork(): boolean {
  return browserSupportsWebAuthn() && !/^[\d.]+$|^\[/.test(location.hostname)
}

/** Whether passkeys can stand among what the browser offers to fill in. */
export async function autofillWorks(): Promise<boolean> {
  return passkeysWork() && (await browserSupportsWebAuthnAutofill())
}

/** The person, or the page itself, called it off, or no authenticator answered: nothing to complain of. */
export function isCalledOff(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NotAllowedError' || error.name === 'AbortError')
}

/** This authenticator holds a passkey of this person already. */
export function isHeldAlready(error: unknown): boolean {
  return error instanceof Error && error.name === 'InvalidStateError'
}

/** Calls off what an authenticator is being asked for. */
export function callOff(): void {
  WebAuthnAbortService.cancelCeremony()
}

/**
 * Has the person show a passkey. Throws what `isCalledOff` knows where they do not. @param autofill waits, without a word, until
 * one is chosen in the user name's field
 */
export async function askForPasskey(request: PasskeyRequest, autofill = false): Promise<PasskeyAssertion> {
  const { id, response } = await startAuthentication({
    optionsJSON: {
      challenge: request.challenge,
      rpId: request.rpId,
      timeout: request.timeoutMs,
      userVerification: 'required',
      allowCredentials: request.credentials.map((each) => ({ ...each, type: 'public-key' as const })),
    },
    useBrowserAutofill: autofill,
  })
  return {
    id,
    clientDataJSON: response.clientDataJSON,
    authenticatorData: response.authenticatorData,
    signature: response.signature,
    userHandle: response.userHandle ?? null,
  }
}

/** Has the person make a passkey. Throws what `isCalledOff` or `isHeldAlready` know where they do not. */
export async function makePasskey(creation: PasskeyCreation): Promise<PasskeyAttestation> {
  const { id, response } = await startRegistration({
    optionsJSON: {
      challenge: creation.challenge,
      rp: { id: creation.rpId, name: RP_NAME },
      user: creation.user,
      timeout: creation.timeoutMs,
      attestation: 'none',
      pubKeyCredParams: creation.algorithms.map((alg) => ({ alg, type: 'public-key' as const })),
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      excludeCredentials: creation.exclude.map((each) => ({ ...each, type: 'public-key' as const })),
    },
  })
  return {
    id,
    clientDataJSON: response.clientDataJSON,
    attestationObject: response.attestationObject,
    transports: knownTransports(response.transports),
  }
}

function knownTransports(words: readonly string[] = []): PasskeyTransport[] {
  return words.filter((word): word is PasskeyTransport => passkeyTransport.safeParse(word).success)
}
