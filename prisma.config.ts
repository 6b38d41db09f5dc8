import { fileURLToPath } from 'node:url'
import { defineConfig } from 'prisma/config'

// Prisma's own schema engine is a binary that it would download. Ours speaks the same protocol over Prisma's WASM
// build, so that every command works with the npm registry alone.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= fileURLToPath(
  new URL('./scripts/prisma-schema-engine.mjs', import.meta.url),
)

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // `generate`, `validate` and `format` need no database: the stand-in keeps them from asking for one.
  datasource: { url: process.env.WARDLINE_DATABASE_URL ?? 'postgresql://unset@127.0.0.1:1/unset' },
})
