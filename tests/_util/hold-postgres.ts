// A process that uses the embedded PostgreSQL of a folder: it says so on one line, and leaves when its input ends.
import { startEmbeddedPostgres } from '../../apps/server/src/storage/embedded-postgres.ts'

const [dataDir = ''] = process.argv.slice(2)
const { adopted, stop } = await startEmbeddedPostgres({ dataDir, durable: false })
process.stdout.write(`${JSON.stringify({ adopted })}\n`)
process.stdin.resume().once('end', () => void stop())
