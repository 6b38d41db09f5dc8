import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createWardline, type Wardline } from '@wardline/client/node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

let server: TestServer
let folder: string
let physician: Wardline
let bot: ChildProcess | undefined

beforeAll(async () => {
  server = await startTestServer()
  folder = mkdtempSync(join(tmpdir(), 'wardline-bot-'))
  physician = createWardline({ url: server.url, ca: String(server.ca) })
  await physician.signIn({ tenant: 'riverside', username: 'physician.okafor', password: PASSWORD })
})

afterAll(async () => {
  bot?.kill('SIGKILL')
  physician.close()
  rmSync(folder, { recursive: true })
  await server.stop()
})

/** The bot as the README prints it, at this server's address. */
function botOfReadme(): { file: string; lines: number } {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const [, code = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  const file = join(folder, 'bot.ts')
  const here = code
    .replace('https://localhost:8443', server.url)
    .replace('.data/tls/authority.crt', server.running.authorityFile ?? '')
  writeFileSync(file, here)
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return { file, lines: code.split('\n').filter((line) => line.trim() !== '').length }
}

it('[R-84] the 20-line bot of the README acknowledges a STAT message', async () => {
  const pharmacist = server.users.get('riverside/pharmacist.vega') ?? ''
  const { id } = await physician.api.createChannel({ kind: 'direct', member: pharmacist })
  const { file, lines } = botOfReadme()
  expect(lines).toBeLessThanOrEqual(21)

  bot = spawn(process.execPath, [file, 'riverside', 'pharmacist.vega', PASSWORD], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  await new Promise<void>((resolve) => {
    bot?.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('watching')) resolve()
    })
  })
  const acknowledged = new Promise<string>((resolve) => {
    physician.on('event', ({ event }) => {
      if (event.type === 'message.acknowledged') resolve(`${event.message} ${event.by} ${event.response}`)
    })
  })
  physician.channel(id).open({ after: 0 })
  const post = physician.post(id, { body: 'Potassium 6.1', priority: 'stat', ackRequired: true })
  const { message } = await physician.outbox.accepted(post.clientId)
  expect(await acknowledged).toBe(`${message} ${pharmacist} seen`)
  expect(said).toContain('line: live')

  bot.kill('SIGINT')
  const [code] = (await once(bot, 'exit')) as [number | null]
  expect(code).toBe(0)
  expect(said).not.toContain('Potassium')
})
