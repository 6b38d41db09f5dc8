import type { SignedInUser } from '@wardline/protocol'
import { describe, expect, it } from 'vitest'
import { memoryStorage } from './csrf-store.ts'
import { WardlineError } from './error.ts'
import { createFakeServer, manualTime, nurse, physician } from './fake-server/index.ts'
import { fakeProofs } from './fake-server/proofs.ts'
import { createWardline, type Locks, type Storage, type Tabs } from './index.ts'
import type { TabMessage } from './tabs.ts'
import { CREDENTIALS, startClient, startLive } from './test-client.ts'

/** Tabs of one browser: what one posts, all others hear. */
function tabsOfOneBrowser() {
  const listeners = new Set<{ run: (message: TabMessage) => void; owner: symbol }>()
  return (): Tabs => {
    const owner = Symbol('tab')
    return {
      post: (message) => {
        for (const listener of listeners) if (listener.owner !== owner) listener.run(message)
      },
      onMessage: (run) => {
        const listener = { run, owner }
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      close: () => undefined,
    }
  }
}

/** As Web Locks do it: one at a time. */
function lockOfOneBrowser(): Locks {
  let last: Promise<unknown> = Promise.resolve()
  return {
    request: (_name, run) => {
      const mine = last.then(run)
      last = mine.catch(() => undefined)
      return mine
    },
  }
}

/** A server whose answer to a sign-out is on its way until it is let through. */
async function startWithSlowLogout() {
  let answerLogout = () => undefined as void
  const gate = new Promise<void>((resolve) => {
    answerLogout = resolve
  })
  const time = manualTime()
  const server = createFakeServer({ time })
  const jar = { refresh: null }
  const browser = server.browser({ jar })
  const wardline = createWardline({
    ...browser,
    fetch: async (url, init) => {
      const answer = await browser.fetch?.(url, init)
      if (answer === undefined) throw new TypeError('the fake browser has no network')
      if (url.endsWith('/auth/logout')) {
        await gate
        // A browser heeds Set-Cookie when the answer comes.
        jar.refresh = null
      }
      return answer
    },
  })
  await wardline.signIn(CREDENTIALS)
  return { server, wardline, answerLogout }
}

function calls(server: { calls: readonly { path: string }[] }, path: string): number {
  return server.calls.filter((call) => call.path === path).length
}

const stepUpWanted = {
  type: 'urn:wardline:error:step-up-required',
  title: 'Confirm who you are to do this.',
  status: 401,
  code: 'step-up-required',
  retry: 'after-step-up',
}

const wrongCode = {
  type: 'urn:wardline:error:unauthenticated',
  title: 'Sign in to do this.',
  status: 401,
  code: 'unauthenticated',
  retry: 'after-renewal',
  why: 'code-wrong',
}

describe('signing in', () => {
  it('gives the user, opens the line, and keeps nothing but the CSRF token', async () => {
    const stored: string[] = []
    const inner = memoryStorage()
    const storage: Storage = { ...inner, set: (key, value) => (stored.push(`${key}=${value}`), inner.set(key, value)) }
    const { server, wardline } = startClient({}, { storage })
    const result = await wardline.signIn(CREDENTIALS)
    await server.settle()
    expect(result).toEqual({ status: 'signed-in', user: nurse })
    expect(wardline.me).toEqual(nurse)
    expect(wardline.connection.state).toMatchObject({ is: 'live' })
    expect(stored).toEqual([expect.stringMatching(/^wardline-csrf=csrf-family-/)])
  })

  it('with a wrong password says only `unauthenticated`, and opens no line', async () => {
    const { server, wardline } = startClient()
    const error = await wardline.signIn({ ...CREDENTIALS, password: 'wrong' }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(WardlineError)
    expect(error).toMatchObject({ code: 'unauthenticated', status: 401 })
    expect(wardline.session.state).toEqual({ is: 'signed-out', reason: null })
    expect(server.wires()).toBe(0)
  })

  it('R-11 a passkey alone signs in: what to ask of it, then its answer', async () => {
    const { server, wardline } = startClient()
    const asked = { challenge: 'c'.repeat(72), rpId: 'localhost', timeoutMs: 300_000, credentials: [] }
    server.http('POST /auth/passkey/options', () => ({ status: 200, body: asked }))
    expect(await wardline.session.passkeyOptions()).toEqual(asked)
    const passkey = {
      id: 'AAAA',
      clientDataJSON: 'A'.repeat(64),
      authenticatorData: 'A'.repeat(52),
      signature: 'AAAA',
      userHandle: null,
    }
    let sent: unknown
    server.http('POST /auth/passkey', ({ body, headers }) => {
      sent = { body, proof: headers['dpop'] !== undefined, token: headers['authorization'] }
      return undefined
    })
    expect(await wardline.signInWithPasskey(passkey)).toEqual(nurse)
    expect(sent).toEqual({ body: { passkey }, proof: true, token: undefined })
    expect(wardline.connection.state.is).toBe('connecting')
  })

  it('R-11 who has to enrol first gets no line, and gets one as soon as that is done', async () => {
    let user: SignedInUser = { ...nurse, abilities: [], mustEnrol: true }
    const { server, wardline } = startClient()
    const granted = () => ({ accessToken: 'a.b.c', expiresIn: 300, csrfToken: 'csrf', user })
    server.http('POST /auth/login', () => ({ status: 200, body: { status: 'authenticated', ...granted() } }))
    server.http('POST /auth/refresh', () => ({ status: 200, body: granted() }))
    await wardline.signIn(CREDENTIALS)
    expect(wardline.connection.state.is).toBe('offline')
    user = nurse
    expect(await wardline.session.renew()).toEqual(nurse)
    expect(wardline.connection.state.is).toBe('connecting')
    user = { ...nurse, abilities: [], mustEnrol: true }
    await wardline.session.renew()
    expect(wardline.connection.state.is, 'demanded meanwhile').toBe('offline')
  })

  it('hands a second factor to the caller', async () => {
    const { server, wardline } = startClient()
    const factor = { status: 'second-factor', challenge: 'c', methods: ['totp'], expiresIn: 300 }
    server.http('POST /auth/login', () => ({ status: 200, body: factor }))
    expect(await wardline.signIn(CREDENTIALS)).toEqual(factor)
    expect(wardline.session.state.is).toBe('signed-out')
  })

  it('goes on with the code, at the end of which the person is signed in and the line open', async () => {
    const { server, wardline } = startClient()
    const factor = { status: 'second-factor', challenge: 'c', methods: ['totp'], expiresIn: 300 }
    server.http('POST /auth/login', () => ({ status: 200, body: factor }))
    const given: unknown[] = []
    server.http('POST /auth/second-factor', ({ body }) => {
      given.push(body)
      const granted = { status: 'authenticated', accessToken: 'a.b.c', expiresIn: 300, csrfToken: 'csrf', user: nurse }
      return given.length > 1 ? { status: 200, body: granted } : { status: 401, body: wrongCode }
    })
    await wardline.signIn(CREDENTIALS)
    const refused = await wardline.secondFactor({ challenge: 'c', totp: '000000' }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'unauthenticated', why: 'code-wrong' })
    expect(await wardline.secondFactor({ challenge: 'c', totp: '123456' })).toEqual(nurse)
    expect(given).toEqual([
      { challenge: 'c', totp: '000000' },
      { challenge: 'c', totp: '123456' },
    ])
    expect(wardline.session.state).toMatchObject({ is: 'signed-in', user: nurse })
  })

  it('[R-20] asks once for calls that need a step-up, and makes them again with the new token', async () => {
    const { server, wardline } = await startLive()
    let proved = false
    const answered: string[] = []
    server.http('GET /me/factors', () => {
      answered.push(proved ? 'done' : 'refused')
      return proved ? { status: 200, body: { items: [], recoveryCodes: 0 } } : { status: 401, body: stepUpWanted }
    })
    server.http('POST /auth/step-up', ({ body }) => {
      expect(body).toEqual({ password: 'right' })
      proved = true
      return { status: 200, body: { accessToken: 'd.e.f', expiresIn: 300, csrfToken: 'csrf', user: nurse } }
    })
    await expect(wardline.api.factors(), 'nobody can be asked').rejects.toMatchObject({ code: 'step-up-required' })
    let asked = 0
    const stop = wardline.session.onStepUp(async () => {
      asked += 1
      await wardline.session.stepUp({ password: 'right' })
      return true
    })
    await Promise.all([wardline.api.factors(), wardline.api.factors()])
    expect([asked, answered]).toEqual([1, ['refused', 'refused', 'refused', 'done', 'done']])
    expect(await wardline.session.accessToken()).toBe('d.e.f')
    stop()
    proved = false
    wardline.session.onStepUp(() => Promise.resolve(false))
    await expect(wardline.api.factors(), 'refused to prove it').rejects.toMatchObject({ code: 'step-up-required' })
  })

  it('survives a reload by the cookie and the CSRF token', async () => {
    const storage = memoryStorage()
    const jar = { refresh: null }
    const { server, wardline, time } = await startLive({}, { storage, jar } as object)
    wardline.close()
    const reloaded = createWardline(server.browser({ storage, jar, now: () => time.now() }))
    expect(await reloaded.restore()).toEqual(nurse)
    await server.settle()
    expect(reloaded.connection.state.is).toBe('live')
  })

  it('asks nobody at a reload where nobody was signed in', async () => {
    const { server, wardline } = startClient()
    expect(await wardline.restore()).toBeNull()
    expect(server.calls).toEqual([])
  })

  it('at a reload tells a session that is over from a server that cannot be reached', async () => {
    const storage = memoryStorage()
    storage.set('wardline-csrf', 'of an earlier page')
    const { server, wardline } = startClient({}, { storage })
    server.offline()
    await expect(wardline.restore()).rejects.toMatchObject({ code: 'unavailable', status: 0 })
    server.online()
    expect(await wardline.restore()).toBeNull()
    expect(storage.get('wardline-csrf')).toBeNull()
  })
})

describe('[R-14] refreshing', () => {
  it('happens once for any number of calls that need it', async () => {
    const { server, wardline, time } = await startLive({ tokenSeconds: 60 })
    wardline.connection.stop()
    await time.advance(61_000)
    await Promise.all([wardline.api.me(), wardline.channels(), wardline.api.directory()])
    expect(calls(server, '/auth/refresh')).toBe(1)
  })

  it('comes before the token runs out, so that no call is refused', async () => {
    const { server, wardline, time } = await startLive()
    wardline.connection.stop()
    await time.advance(280_000)
    await wardline.api.me()
    expect(calls(server, '/auth/refresh')).toBe(1)
    expect(calls(server, '/me')).toBe(1)
  })

  it('follows a refused token, and the call is made again once', async () => {
    const { server, wardline } = await startLive()
    server.spoilTokens()
    expect(await wardline.api.me()).toEqual(nurse)
    expect(calls(server, '/me')).toBe(2)
    server.http('GET /me', () => ({ status: 401 }))
    await expect(wardline.api.me()).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(calls(server, '/me')).toBe(4)
  })

  it('is one at a time over all tabs: two with one cookie would look like theft', async () => {
    const tab = tabsOfOneBrowser()
    const shared = { storage: memoryStorage(), jar: { refresh: null }, locks: lockOfOneBrowser() }
    const { server, wardline } = await startLive({}, { ...shared, tabs: tab() })
    const other = createWardline(server.browser({ ...shared, tabs: tab() }))
    await other.restore()
    server.spoilTokens()
    expect(await Promise.all([wardline.api.me(), other.api.me()])).toEqual([nurse, nurse])
  })

  it('waits when the server says that this cookie was rotated a moment ago', async () => {
    const { server, wardline, time } = await startLive()
    let put = 2
    const body = {
      type: 'urn:wardline:error:rate-limited',
      title: '',
      status: 429,
      code: 'rate-limited',
      retry: 'later',
    }
    server.http('POST /auth/refresh', () =>
      put-- > 0 ? { status: 429, body: { ...body, retryAfterMs: 700 } } : undefined,
    )
    server.spoilTokens()
    const call = wardline.api.me()
    await time.advance(1_400)
    expect(await call).toEqual(nurse)
  })

  it('that is refused ends the session; a network that fails does not', async () => {
    const { server, wardline } = await startLive()
    server.spoilTokens()
    server.offline()
    await expect(wardline.api.me()).rejects.toMatchObject({ code: 'unavailable' })
    expect(wardline.session.state.is).toBe('signed-in')
    server.online()
    server.endSessions()
    await expect(wardline.api.me()).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(wardline.session.state).toEqual({ is: 'signed-out', reason: 'expired' })
    expect(wardline.connection.state).toEqual({ is: 'offline' })
  })

  it('that answers with another person ends the session and shows nobody else', async () => {
    const { server, wardline } = await startLive()
    server.http('POST /auth/refresh', () => ({
      status: 200,
      body: { accessToken: 'a.b.c', expiresIn: 300, csrfToken: 'x', user: physician },
    }))
    server.spoilTokens()
    await expect(wardline.api.me()).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(wardline.session.state).toEqual({ is: 'signed-out', reason: 'other-user' })
  })

  it('is not done by a timer: an abandoned workstation does not stay signed in', async () => {
    const { server, wardline, time } = await startLive()
    wardline.connection.stop()
    await time.advance(3_600_000)
    expect(calls(server, '/auth/refresh')).toBe(0)
  })
})

describe('signing out', () => {
  it('ends the session at the server, here, and in the other tabs', async () => {
    const tab = tabsOfOneBrowser()
    const shared = { storage: memoryStorage(), jar: { refresh: null }, locks: lockOfOneBrowser() }
    const { server, wardline } = await startLive({}, { ...shared, tabs: tab() })
    const other = createWardline(server.browser({ ...shared, tabs: tab() }))
    await other.restore()
    await server.settle()
    expect(await wardline.signOut()).toEqual({ reached: true })
    await server.settle()
    expect(wardline.session.state).toEqual({ is: 'signed-out', reason: 'signed-out' })
    expect(other.session.state).toEqual({ is: 'signed-out', reason: 'elsewhere' })
    expect(server.open()).toBe(0)
    expect(await other.restore()).toBeNull()
  })

  it('that cannot reach the server makes the cookie worthless by forgetting its key', async () => {
    const proofs = fakeProofs()
    const { server, wardline } = await startLive({}, { proofs })
    server.offline()
    expect(await wardline.signOut()).toEqual({ reached: false })
    expect(wardline.session.state.is).toBe('signed-out')
    expect(proofs.forgotten).toBe(1)
  })

  it('with a token that ran out shows the cookie and asks for no new token first', async () => {
    const { server, wardline, time } = await startLive()
    wardline.connection.stop()
    await time.advance(400_000)
    expect(await wardline.signOut()).toEqual({ reached: true })
    expect(calls(server, '/auth/refresh')).toBe(0)
    expect(server.calls.at(-1)?.headers).not.toHaveProperty('authorization')
  })

  it('is over before the sign-in of the next sign-in begins: its answer takes a cookie away', async () => {
    const { server, wardline, answerLogout } = await startWithSlowLogout()
    const leaving = wardline.signOut()
    const arriving = wardline.signIn(CREDENTIALS)
    await server.settle()
    answerLogout()
    await Promise.all([leaving, arriving])
    expect(server.calls.map(({ path }) => path)).toEqual(['/auth/login', '/auth/logout', '/auth/login'])
    server.spoilTokens()
    expect(await wardline.api.me()).toEqual(nurse)
  })

  it('another person who signs in, in another tab, ends this one', async () => {
    const tab = tabsOfOneBrowser()
    const { wardline, server } = await startLive({}, { tabs: tab() })
    const other = createWardline(server.browser({ tabs: tab() }))
    await other.signIn({ ...CREDENTIALS, username: 'physician.okafor' })
    expect(wardline.session.state).toEqual({ is: 'signed-out', reason: 'other-user' })
  })
})

describe('[R-15] what travels', () => {
  it('the cookie and the CSRF token only with the calls that need them, a proof with each', async () => {
    const { server, wardline } = await startLive()
    await wardline.api.me()
    await wardline.signOut()
    const seen = server.calls.map(({ path, headers, cookie }) => ({
      path,
      cookie,
      csrf: 'x-csrf-token' in headers,
      proof: 'dpop' in headers,
    }))
    expect(seen).toEqual([
      { path: '/auth/login', cookie: false, csrf: false, proof: true },
      { path: '/me', cookie: false, csrf: false, proof: true },
      { path: '/auth/logout', cookie: true, csrf: true, proof: true },
    ])
  })

  it('neither token nor proof to what anybody may ask', async () => {
    const { server, wardline } = startClient()
    expect(await wardline.api.about()).toEqual({ demo: true })
    expect(server.calls[0]?.headers).not.toHaveProperty('dpop')
  })

  it('a proof of the right hour, from a workstation whose clock is an hour slow', async () => {
    const time = manualTime()
    const { server, wardline } = startClient({ time })
    const date = new Date(time.now() + 3_600_000).toUTCString()
    server.http('POST /auth/login', () =>
      calls(server, '/auth/login') === 1 ? { status: 401, headers: { Date: date } } : undefined,
    )
    expect(await wardline.signIn(CREDENTIALS)).toMatchObject({ status: 'signed-in' })
    expect(calls(server, '/auth/login')).toBe(2)
  })
})
