import type { FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'

/** For orchestrators and load balancers: whether the process lives, and whether it wants work. Says no more than that. */
export function registerHealthRoutes(app: App, ctx: Context): void {
  app.get('/healthz', () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const { ready, checks } = await ctx.readiness.report()
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not-ready', checks })
  })
}

const PROBES: ReadonlySet<string | undefined> = new Set(['/healthz', '/readyz'])

/** Whether this asks how we are, which whoever watches over us may without being anybody. */
export function isProbe(request: FastifyRequest): boolean {
  return PROBES.has(request.routeOptions.url)
}
