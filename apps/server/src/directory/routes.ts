import { directoryEntry, page, pageQuery, searchRequest } from '@wardline/protocol'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { noQuery } from '../http/no-query.ts'
import { listDirectory } from './list.ts'

const entries = page(directoryEntry)
const config = { action: 'directory.read' } as const

/** Who there is to write to; for the authenticated scope. */
export function registerDirectoryRoutes(api: App, ctx: Context): void {
  api.get('/directory', { config, schema: { querystring: pageQuery, response: { 200: entries } } }, (request) =>
    listDirectory(ctx, callerOf(request), request.query),
  )
  api.post(
    '/directory/search',
    { config, schema: { querystring: noQuery, body: searchRequest, response: { 200: entries } } },
    (request) => listDirectory(ctx, callerOf(request), request.body),
  )
}
