import type { FastifyReply } from 'fastify'
import type { App } from '../http/app-type.ts'
import type { Site } from '../http/site.ts'
import { describeSocket } from './asyncapi.ts'
import { contractPage, PAGE_STYLE } from './page.ts'

/** The contract for programs and for people, made once when it is first asked for. It says what any release's sources say. */
export function registerContractRoutes(app: App, site: Site): void {
  const made = new Map<string, string>()
  const once = (name: string, make: () => string) => {
    const text = made.get(name) ?? make()
    made.set(name, text)
    return text
  }
  const calls = () => app.swagger()
  const socket = () => describeSocket(new URL(site.origin).host)

  app.get('/openapi.json', (_request, reply) =>
    sendJson(
      reply,
      once('calls', () => JSON.stringify(calls())),
    ),
  )
  app.get('/asyncapi.json', (_request, reply) =>
    sendJson(
      reply,
      once('socket', () => JSON.stringify(socket())),
    ),
  )
  app.get('/docs', (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(once('page', () => contractPage(calls(), socket()))),
  )
  app.get('/docs/page.css', (_request, reply) => reply.type('text/css; charset=utf-8').send(PAGE_STYLE))
}

function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(text)
}
