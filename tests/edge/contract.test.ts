import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { API_BASE, clientFrame, serverFrame } from '@wardline/protocol'
import { Ajv } from 'ajv'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { call } from '../_util/https.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

type Operation = { readonly security: readonly Readonly<Record<string, unknown>>[] }
type OpenApi = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }
type AsyncApi = {
  readonly operations: Readonly<Record<string, { readonly action: string }>>
  readonly components: { readonly messages: Readonly<Record<string, { readonly payload: object }>> }
}

let server: TestServer
let calls: OpenApi
let socket: AsyncApi

beforeAll(async () => {
  server = await startTestServer()
  calls = (await call(server, { path: '/openapi.json' })).body as OpenApi
  socket = (await call(server, { path: '/asyncapi.json' })).body as AsyncApi
})
afterAll(() => server.stop())

const operations = () =>
  Object.entries(calls.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )

/** The calls of PROTOCOL.md's table, as `METHOD /path`: what stands in backticks in a row's first cell, query cut off. */
function callsOfProtocol(): string[] {
  const text = readFileSync(new URL('../../packages/protocol/PROTOCOL.md', import.meta.url), 'utf8')
  const table = text.slice(text.indexOf('| Call |'), text.indexOf('A program has an account'))
  return table.split('\n').flatMap((row) => {
    const [, first = ''] = row.split(/(?<!\\)\|/)
    const found: string[] = []
    const methods: string[] = []
    for (const [, quoted = ''] of first.matchAll(/`([A-Z]+[^`]*)`/g)) {
      const [method = '', path] = quoted.split(' ')
      methods.push(method)
      if (path === undefined) continue
      const [bare = ''] = path.split('?')
      found.push(...methods.splice(0).map((each) => `${each} ${API_BASE}${bare.replace(/:(\w+)/g, '{$1}')}`))
    }
    return found
  })
}

describe('R-84 the calls', () => {
  test('are described in OpenAPI 3.1 that fits its own schema', async () => {
    expect(await new Validator().validate(JSON.parse(JSON.stringify(calls)))).toEqual({ valid: true })
  })

  test('are those of PROTOCOL.md, no more and no fewer', () => {
    const described = operations().flatMap(({ method, path }) => (path.startsWith(API_BASE) ? `${method} ${path}` : []))
    expect(described.toSorted()).toEqual(callsOfProtocol().toSorted())
  })

  test('that are described as wanting an access token answer nobody without one', async () => {
    const wanting = operations().filter(({ operation }) => operation.security.some((way) => 'accessToken' in way))
    expect(wanting.length).toBeGreaterThan(60)
    const answers = await Promise.all(
      wanting.map(async ({ method, path }) => {
        const headers = { origin: server.url, 'content-type': 'application/json' }
        const body = method === 'GET' || method === 'DELETE' ? undefined : '{}'
        const { status } = await call(server, { method, path: path.replace(/\{\w+\}/g, '1'), headers, body })
        return `${status} ${method} ${path}`
      }),
    )
    expect(answers.filter((answer) => !answer.startsWith('401 '))).toEqual([])
  })
})

/** The frames of a file of vectors that its reader takes. */
function goodOf(file: string): { type: string }[] {
  const path = new URL(`../../packages/protocol/vectors/${file}`, import.meta.url)
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: { text: string; fault: string | null }[] }
  return cases.flatMap(({ text, fault }) => (fault === null ? [JSON.parse(text) as { type: string }] : []))
}

describe('R-84 the frames', () => {
  // The specification's file brings the meta-schema of draft 7 along.
  const ajv = () => new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false })

  test('are described in AsyncAPI 3.0 that fits its own schema', () => {
    const file = new URL(import.meta.resolve('@asyncapi/specs/schemas/3.0.0.json'))
    const fits = ajv().compile(JSON.parse(readFileSync(file, 'utf8')) as object)
    expect(fits(socket), JSON.stringify(fits.errors)).toBe(true)
  })

  test('are those of the schemas, each described so that what the schemas take fits', () => {
    const types = [...clientFrame.options, ...serverFrame.options].map(({ shape }) => shape.type.value)
    expect(Object.keys(socket.components.messages).toSorted()).toEqual(types.toSorted())
    const good = ['requests.json', 'server-frames.json'].flatMap(goodOf)
    expect(good.length).toBeGreaterThan(10)
    for (const frame of good) {
      const fits = ajv().compile(socket.components.messages[frame.type]?.payload ?? {})
      expect(fits(frame), JSON.stringify({ frame, errors: fits.errors })).toBe(true)
      expect(fits({ ...frame, unknown: 1 })).toBe(false)
    }
  })

  test('of a client are received, those of the server are sent or are answers', () => {
    for (const { shape } of clientFrame.options) {
      expect(socket.operations[shape.type.value]?.action).toBe('receive')
    }
    for (const type of ['channel.event', 'inbox.changed', 'session.challenge']) {
      expect(socket.operations[type]?.action).toBe('send')
    }
  })
})

describe('the page', () => {
  test('shows every call and frame, and needs no script', async () => {
    const { status, headers, text } = await call(server, { path: '/docs' })
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(text).not.toMatch(/<script|<style|style=|\son\w+=/i)
    for (const { method, path } of operations()) expect(text).toContain(`<code>${method} ${path}</code>`)
    for (const type of Object.keys(socket.components.messages)) expect(text).toContain(`<code>${type}</code>`)
    const style = await call(server, { path: '/docs/page.css' })
    expect(style.headers['content-type']).toBe('text/css; charset=utf-8')
  })
})
