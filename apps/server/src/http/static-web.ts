import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from './app-type.ts'
import { pathOf } from './where.ts'

/** Where `npm run build` puts the web app. */
export const WEB_ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../../web/dist')

const YEAR_SECONDS = 31_536_000
/** Below these there are no pages: what is not there is not there. */
const NOT_PAGES = /^\/(api|ws|assets|\.well-known|healthz|readyz)(\/|$)/

/**
 * Serves the built web app from `root`. Files under `/assets/` bear a hash of their content in their name and never change;
 * everything else is asked for anew each time. What is no file is the not-found handler's, which knows pages.
 */
export async function registerStaticWeb(app: App, root: string): Promise<void> {
  if (!existsSync(root)) return
  await app.register(fastifyStatic, {
    root,
    serve: false,
    index: false,
    cacheControl: false,
    dotfiles: 'ignore',
    setHeaders(reply, path) {
      const hashed = path.startsWith(join(root, 'assets'))
      reply.header('cache-control', hashed ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-store')
    },
  })
  app.get('/', (_request, reply) => sendPage(reply))
  app.get<{ Params: { '*': string } }>('/*', (request, reply) => void reply.sendFile(request.params['*']))
}

/** Whether this is a browser that wants a page: then the app itself finds out which (`/c/:channel`). */
export function wantsPage(app: App, request: FastifyRequest): boolean {
  const reads = request.method === 'GET' || request.method === 'HEAD'
  const built = app.hasReplyDecorator('sendFile')
  return built && reads && !NOT_PAGES.test(pathOf(request)) && (request.headers.accept ?? '').includes('text/html')
}

export function sendPage(reply: FastifyReply): void {
  void reply.sendFile('index.html')
}
