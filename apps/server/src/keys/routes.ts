import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'

/** Shorter than a key is published before it signs, so that nobody meets a token by a key they have not heard of. */
const JWKS_SECONDS = 300

/** The public keys of access tokens (RFC 7517), for whoever verifies them offline. */
export function registerKeyRoutes(app: App, ctx: Context): void {
  app.get('/.well-known/jwks.json', (_request, reply) =>
    reply
      .header('cache-control', `public, max-age=${JWKS_SECONDS}, must-revalidate`)
      .type('application/jwk-set+json')
      .serializer(JSON.stringify)
      .send(ctx.signingKeys.jwks()),
  )
}
